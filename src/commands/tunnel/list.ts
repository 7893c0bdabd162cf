/** `giraffe tunnel list`: shows the tunnels of the agents that run on this machine. */
import { runningAgentSettings } from '../../config/running-agent-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class TunnelList extends GiraffeCommand {
  static override summary = 'List the tunnels of the agents that run on this machine.';
  static override description = 'Agents with another --state-dir, or of another user, are not among them.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = flagsOf(runningAgentSettings);

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(TunnelList);
    const { listTunnels } = await import('../../host/agent/running/running-agents-service.ts');
    return listTunnels(this.contextOf(flags));
  }
}
