/** `giraffe completion names`: what the scripts of the shells ask when somebody types a name. Not for people. */
import { Args } from '@oclif/core';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';

const kinds = ['agents', 'endpoints', 'plugins', 'tokens', 'tunnels'] as const;

export default class CompletionNames extends GiraffeCommand {
  static override hidden = true;
  static override strict = false;
  static override summary = 'Print names for completion.';
  static override args = {
    kind: Args.custom<(typeof kinds)[number]>({ options: [...kinds] })({
      name: 'KIND',
      description: 'What is named.',
      required: true,
    }),
    words: Args.string({ name: 'WORDS', description: 'Behind --, the words of the line so far.' }),
  };
  static override baseFlags = {};

  protected override async execute(): Promise<number> {
    const { args, argv } = await this.parse(CompletionNames);
    const { printNames } = await import('../../host/completion/names.ts');
    return printNames(this.contextOf({}), args.kind, argv.slice(1).map(String));
  }
}
