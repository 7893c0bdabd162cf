/**
 * What every command of ours has in common: `--json`, and one place that turns an error into two lines and an exit status.
 */
import { Command, Errors, type Interfaces } from '@oclif/core';
import { readEnvironment } from '../../config/env.ts';
import type { FlagValues } from '../../config/setting.ts';
import { type ErrorReport, errorReport, writeError } from '../errors/error-report.ts';
import type { PluginHost } from '../extensions/plugin-loader.ts';
import { type Output, processOutput } from '../terminal/output.ts';
import type { HostContext } from './host-context.ts';
import { jsonFlag } from './setting-flags.ts';

/** Base of all commands. A command parses flags, makes one call into the host, and returns its exit status. */
export abstract class GiraffeCommand extends Command {
  static override baseFlags: Interfaces.FlagInput = { json: jsonFlag };

  /** The variables this process was started with. */
  readonly #environment = readEnvironment();
  /** Where this command writes. */
  protected readonly output: Output = processOutput(this.#environment);

  /**
   * Whether programs read stdout.
   *
   * By the words themselves: the error to tell may be that they cannot be parsed.
   */
  protected get json(): boolean {
    const end = this.argv.indexOf('--');
    return this.argv.slice(0, end === -1 ? undefined : end).includes('--json');
  }

  /** Returns what the host is called with. @param flags Those that are settings. */
  protected contextOf(flags: object): HostContext {
    return {
      input: { flags: flags as FlagValues, environment: this.#environment },
      plugins: this.config as unknown as PluginHost,
      output: this.output,
      json: this.json,
    };
  }

  /** Does the work and returns the exit status. */
  protected abstract execute(): Promise<number>;

  /** Returns the exit status after an error. */
  protected exitStatusAfter({ exit }: ErrorReport): number {
    return exit;
  }

  override async run(): Promise<void> {
    process.once('uncaughtException', (error) => this.#crash(error));
    const status = await this.execute();
    // Explicit, because a handle that somebody forgot must not keep a finished command alive.
    this.exit(status);
  }

  protected override async catch(error: unknown): Promise<never> {
    if (error instanceof Errors.ExitError) throw error;
    return this.exit(this.#tell(error));
  }

  /** Prints what happened and the next step, and returns the exit status. */
  #tell(error: unknown): number {
    const { id = '', flags = {} } = this.ctor;
    const nameOf = (id: string) => [this.config.bin, ...id.split(':')].join(' ');
    const report = errorReport(error, {
      name: nameOf(id),
      flags: Object.keys({ ...flags, ...this.ctor.baseFlags }),
      others: this.config.commands.map((other) => ({ name: nameOf(other.id), flags: Object.keys(other.flags) })),
    });
    writeError({ output: this.output, json: this.json }, report);
    if (this.#environment['DEBUG']) this.output.err(report.stack);
    return this.exitStatusAfter(report);
  }

  #crash(error: unknown): void {
    process.exit(this.#tell(error));
  }
}
