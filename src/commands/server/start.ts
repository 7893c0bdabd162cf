/** `giraffe server start`: runs the edge until a signal ends it. */
import { edgeSettings } from '../../config/edge-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class ServerStart extends GiraffeCommand {
  static override summary = 'Run the edge, the public side of the tunnel.';
  static override description =
    'The first start makes a local CA, a certificate and a token in the state folder, and prints the line to paste on ' +
    "the agent's machine.\n\nSIGTERM and SIGINT let what is in flight finish; a second one ends at once. SIGHUP reads " +
    'configuration file, certificates and tokens again; a file that is refused changes nothing.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --base-domain tunnels.example.com --proxy-port 80',
    '$ PROXY_PORT=0 <%= config.bin %> <%= command.id %> --json',
  ];
  static override flags = flagsOf(edgeSettings);

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(ServerStart);
    const { runEdge } = await import('../../host/edge/edge-host.ts');
    return runEdge(this.contextOf(flags));
  }
}
