/** `giraffe stats`: shows figures of the edge or of the running agents. */
import { statsSettings } from '../config/stats-settings.ts';
import { GiraffeCommand } from '../host/oclif/base-command.ts';
import { flagsOf } from '../host/oclif/setting-flags.ts';

export default class Stats extends GiraffeCommand {
  static override summary = 'Show requests, errors, octets and latency of every tunnel.';
  static override description =
    'Asks the edge on this machine, or the one that --api names; where no edge is, the agents that run here. Percentiles ' +
    'are of all exchanges since counting began; with --watch of the last 10 to 20 s.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch',
    '<%= config.bin %> <%= command.id %> --domain app.example.com --json',
    '$ GIRAFFE_ADMIN_TOKEN=gra_… <%= config.bin %> <%= command.id %> --api http://127.0.0.1:8080',
  ];
  static override flags = flagsOf(statsSettings);

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(Stats);
    const { showStats } = await import('../host/stats/stats-host.ts');
    return showStats(this.contextOf(flags));
  }
}
