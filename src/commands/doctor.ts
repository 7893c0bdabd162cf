/** `giraffe doctor`: looks at the whole chain and says what is wrong and what to do next. */
import { Args, Flags } from '@oclif/core';
import { doctorSettings } from '../config/doctor-settings.ts';
import { GiraffeCommand } from '../host/oclif/base-command.ts';
import { flagsOf } from '../host/oclif/setting-flags.ts';

export default class Doctor extends GiraffeCommand {
  static override summary = 'Find out what is wrong, and what to do next.';
  static override description =
    'Looks at this machine, at the edge if one is here, at the way to the edge, at the service, and sends a request and a ' +
    'WebSocket through a short-lived tunnel of its own. Takes the flags of `<%= config.bin %> tunnel` and ' +
    '`<%= config.bin %> server start`; tunnels that serve are not touched, and nothing is changed but with --fix. Exits 0 ' +
    'only when nothing failed.\n\n' +
    '`<%= config.bin %> explain CHECK` says more about one check.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 3000 --server tunnels.example.com --ca sha256:…',
    '<%= config.bin %> <%= command.id %> --fix',
    '<%= config.bin %> <%= command.id %> --bundle report.md',
  ];
  static override args = {
    target: Args.string({ name: 'TARGET', description: 'The service, as for `giraffe tunnel`.' }),
  };
  static override flags = {
    ...flagsOf(doctorSettings),
    fix: Flags.boolean({
      description: 'Mend what is safe: file modes, a missing state folder, an expiring certificate of our own.',
    }),
    bundle: Flags.string({
      description: 'Write a report without secrets for a bug ticket; a file that is there is not overwritten.',
      helpValue: 'FILE',
    }),
  };

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(Doctor);
    const { fix, bundle, ...rest } = flags;
    const { runDoctor } = await import('../host/doctor/doctor-host.ts');
    return runDoctor({ ...this.contextOf(rest), target: args.target, fix, bundle });
  }
}
