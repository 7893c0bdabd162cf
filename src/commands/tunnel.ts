/** `giraffe tunnel`: runs the agent until a signal ends it, or for as long as a command runs. */
import { Args } from '@oclif/core';
import { agentSettings } from '../config/agent-settings.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ErrorReport } from '../host/errors/error-report.ts';
import { GiraffeCommand } from '../host/oclif/base-command.ts';
import { flagsOf } from '../host/oclif/setting-flags.ts';

/** Exit status, as of env(1), when a command could not be begun because of us, or had to be ended. */
const ownFailure = 125;

export default class Tunnel extends GiraffeCommand {
  static override summary = 'Make a service on this machine reachable through an edge.';
  static override description =
    'Runs the agent. It dials out to the edge and needs no open port. Beside an edge it finds token and CA in the state folder; ' +
    'elsewhere give it the line that `giraffe server start` printed.\n\nSIGTERM and SIGINT let what is in flight finish; ' +
    'a second one ends at once. With a configuration file, SIGHUP reads it again.\n\nBehind -- stands a command that runs ' +
    'once the tunnel is ready, with GIRAFFE_URL and GIRAFFE_DOMAIN set. Its exit status is then that of giraffe, or 125 ' +
    'when the tunnel fails; its end is that of the tunnel; and stdout is its own.';
  static override usage = '<%= command.id %> [TARGET] [FLAGS] [-- COMMAND...]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3000',
    '<%= config.bin %> <%= command.id %> --domain app.example.com --port 3000',
    '$ GIRAFFE_TOKEN=grf_… <%= config.bin %> <%= command.id %> 3000 --server example.com --ca sha256:…',
    '<%= config.bin %> <%= command.id %> unix:/run/app.sock --json',
    '<%= config.bin %> <%= command.id %> --config giraffe.config.yaml',
    '<%= config.bin %> <%= command.id %> 3000 --timeout 30s -- npm test',
    '<%= config.bin %> <%= command.id %> 3000 --detach --url-file url.txt',
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

  /** What was typed; oclif changes its own copy. */
  readonly #words = [...this.argv];
  readonly #separator = this.#words.indexOf('--');

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(Tunnel, this.#ownWords);
    const command = this.#command;
    const run =
      flags['detach'] === true
        ? (await import('../host/agent/running/detached-start.ts')).startDetached
        : (await import('../host/agent/agent-host.ts')).runAgent;
    return run({ ...this.contextOf(flags), target: args.target, command });
  }

  protected override exitStatusAfter({ exit }: ErrorReport): number {
    return this.#separator === -1 || ownFailure < exit ? exit : ownFailure;
  }

  /** What stands before the first `--`. */
  get #ownWords(): string[] {
    return this.#separator === -1 ? this.#words : this.#words.slice(0, this.#separator);
  }

  /** What stands behind it. */
  get #command(): readonly [string, ...string[]] | undefined {
    if (this.#separator === -1) return undefined;
    const [program, ...rest] = this.#words.slice(this.#separator + 1);
    if (program === undefined) throw new GiraffeError('GIR_ERR_USAGE', 'there is no command behind --');
    return [program, ...rest];
  }
}
