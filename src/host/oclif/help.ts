/**
 * The screens of `--help`, where oclif's own would hide what matters: a usage of one line instead of one with every flag,
 * flags under headings, and one list of all commands in place of topics and commands that name the same things.
 */
import { type Command, CommandHelp, Errors, Help } from '@oclif/core';
import { flagGroups } from './flag-groups.ts';

/** What somebody types first. */
const firstSteps = [
  ['giraffe server start', 'on the public machine; prints the line for the other'],
  ['giraffe tunnel 3000', 'beside the service on port 3000; prints its public URL'],
] as const;

class OwnCommandHelp extends CommandHelp {
  protected override defaultUsage(): string {
    const args = Object.values(this.command.args).map((arg) => this.arg(arg));
    return ['<%= command.id %>', ...args, '[FLAGS]'].join(' ');
  }

  /** Without the summary, which is the first line of the screen. */
  protected override description(): string | undefined {
    const { summary, description } = this.command;
    return summary === undefined || description === undefined ? super.description() : this.wrap(description);
  }

  protected override groupFlags(flags: Command.Flag.Any[]): ReturnType<CommandHelp['groupFlags']> {
    const groups = flagGroups[this.command.id.replaceAll(' ', ':')] ?? {};
    const grouped = new Set(Object.values(groups).flat());
    const inGroup = (names: readonly string[]) => names.flatMap((name) => flags.filter((flag) => flag.name === name));
    return {
      mainFlags: flags.filter(({ name }) => !grouped.has(name)),
      flagGroups: Object.fromEntries(Object.entries(groups).map(([group, names]) => [group, inGroup(names)])),
    };
  }
}

/** What `package.json` names as the help of the program. */
export class GiraffeHelp extends Help {
  protected override CommandHelpClass = OwnCommandHelp;

  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv);
    } catch (error) {
      // oclif's words for a command that does not exist name no other one and have another status than ours.
      const [, id] = /^Command (\S+) not found\.$/.exec(error instanceof Errors.CLIError ? error.message : '') ?? [];
      if (id === undefined) throw error;
      await this.config.runHook('command_not_found', { id, argv });
    }
  }

  protected override showRootHelp(): Promise<void> {
    const commands = this.sortedCommands.filter(({ id }) => !id.startsWith('plugins:'));
    const rows = commands.map((command): [string, string | undefined] => [
      command.id.replaceAll(':', ' '),
      this.summary(command),
    ]);
    const list = (body: [string, string | undefined][]) => this.renderList(body, { indentation: 2, spacer: '\n' });
    this.log(this.formatRoot());
    this.log('');
    this.log(this.section('FIRST STEPS', list(firstSteps.map(([command, what]) => [`$ ${command}`, what]))));
    this.log('');
    this.log(this.section('COMMANDS', list(rows)));
    this.log(`\n  \`${this.config.bin} COMMAND --help\` tells more of one.\n`);
    return Promise.resolve();
  }
}
