/** `giraffe tunnel stop`: ends agents that run on this machine, and waits until they have. */
import { Args } from '@oclif/core';
import { stopSettings } from '../../config/running-agent-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class TunnelStop extends GiraffeCommand {
  static override summary = 'Stop agents that run on this machine.';
  static override description =
    'What is in flight may finish. Returns when they have ended. Without NAME it stops the only one there is.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> app.example.com',
    '<%= config.bin %> <%= command.id %> --all --timeout 5s',
  ];
  static override args = {
    name: Args.string({
      name: 'NAME',
      description: 'A domain, the name of a tunnel of the configuration file, or a process id.',
    }),
  };
  static override flags = flagsOf(stopSettings);

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(TunnelStop);
    const { stopTunnels } = await import('../../host/agent/running/running-agents-service.ts');
    return stopTunnels(this.contextOf(flags), args.name);
  }
}
