/** `giraffe explain [CODE]`: what an error code or a check of the doctor means, and what to do next. */
import { Args } from '@oclif/core';
import { GiraffeCommand } from '../host/oclif/base-command.ts';

export default class Explain extends GiraffeCommand {
  static override summary = 'Tell what an error code or a check means, and what to do.';
  static override description =
    'A code in any case, with or without GIR_ERR_ in front, or the name of a check of the doctor. Without one it lists ' +
    'them all. `<%= config.bin %> explain route` tells which routing rule a request meets.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> GIR_ERR_NO_UPSTREAM',
    '<%= config.bin %> <%= command.id %> origin_refused',
    '<%= config.bin %> <%= command.id %> certificate-names',
    '<%= config.bin %> <%= command.id %>',
  ];
  static override args = {
    code: Args.string({ name: 'CODE', description: 'An error code, or the name of a check.' }),
  };

  protected override async execute(): Promise<number> {
    const { args } = await this.parse(Explain);
    const { explain } = await import('../host/errors/explain.ts');
    return explain(args.code, { output: this.output, json: this.json });
  }
}
