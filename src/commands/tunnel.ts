/** `giraffe tunnel`: runs the agent until a signal ends it. */
import { Args } from '@oclif/core';
import { agentSettings } from '../config/agent-settings.ts';
import { GiraffeCommand } from '../host/base-command.ts';
import { flagsOf, flagValues } from '../host/setting-flags.ts';

export default class Tunnel extends GiraffeCommand {
  static override summary = 'Run the agent: make a service on this machine reachable through the edge.';
  static override description =
    'The agent dials out to the edge and needs no open port. Beside an edge it finds token and CA in the state folder; ' +
    'elsewhere give it the line that `giraffe server start` printed.\n\nSIGTERM and SIGINT let what is in flight finish; ' +
    'a second one ends at once. With a configuration file, SIGHUP reads it again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3000',
    '<%= config.bin %> <%= command.id %> --domain app.example.com --port 3000',
    '$ GIRAFFE_TOKEN=grf_… <%= config.bin %> <%= command.id %> 3000 --server example.com --ca sha256:…',
    '<%= config.bin %> <%= command.id %> unix:/run/app.sock --json',
    '<%= config.bin %> <%= command.id %> --config giraffe.config.yaml',
  ];
  static override args = {
    target: Args.string({
      name: 'TARGET',
      description:
        'The service: a port, host:port, an http:// or https:// URL, or unix:/path; or the name of a tunnel of the ' +
        'configuration file. Without it, all tunnels of the file are opened.',
    }),
  };
  static override flags = flagsOf(agentSettings);

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(Tunnel);
    const { runAgent } = await import('../host/agent-host.ts');
    return runAgent({
      input: { flags: flagValues(flags), environment: this.environment },
      target: args.target,
      plugins: this.plugins,
      output: this.output,
      json: this.json,
    });
  }
}
