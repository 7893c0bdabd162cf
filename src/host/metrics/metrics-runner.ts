/**
 * Runs metrics exporters: calls those that push at their interval and once more at the end, and offers the others to the
 * management API. An exporter that fails or stalls is a line in the log and nothing else.
 */
import type { ExtensionGuard, ExtensionId } from '../../extension/guard.ts';
import type { MetricsExporter, MetricsSnapshot } from '../../extension/index.ts';
import type { PullExporter } from '../../management/metrics-routes.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { within } from '../lifecycle/within.ts';

/** An exporter and its name in the configuration. */
export interface NamedExporter {
  readonly name: string;
  readonly exporter: MetricsExporter;
}

/** What a runner works with. */
export interface MetricsRunnerOptions {
  readonly logger: Logger;
  readonly guard: ExtensionGuard;
  /** Returns the figures of now. */
  snapshot(): MetricsSnapshot;
  /** Time for one export, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 5000;

/** Runs the exporters that are in force. */
export class MetricsRunner implements AsyncDisposable {
  readonly #options: MetricsRunnerOptions;
  #runs: readonly ExporterRun[] = [];
  /** Last exports of exporters that were replaced. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: MetricsRunnerOptions) {
    this.#options = options;
  }

  /** Puts exporters in the place of the ones before, which export once more. */
  use(exporters: readonly NamedExporter[]): void {
    for (const run of this.#runs) {
      const last: Promise<void> = run.finish().finally(() => this.#leaving.delete(last));
      this.#leaving.add(last);
    }
    this.#runs = exporters.map((named) => new ExporterRun(named, this.#options));
  }

  /** The exporters that are asked for their text. */
  get pullExporters(): readonly PullExporter[] {
    return this.#runs.flatMap((run) => run.pull ?? []);
  }

  /** Exports once more and stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.use([]);
    await Promise.all(this.#leaving);
  }
}

/** One exporter at work. */
class ExporterRun {
  readonly #options: MetricsRunnerOptions;
  readonly #named: NamedExporter;
  readonly #timer: NodeJS.Timeout | undefined;
  /** The call that has not ended, even if its time is over. */
  #current: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(named: NamedExporter, options: MetricsRunnerOptions) {
    this.#named = named;
    this.#options = options;
    const { exporter } = named;
    if (exporter.mode === 'push') this.#timer = setInterval(() => void this.#export(), exporter.intervalMs).unref();
  }

  /** What the management API gets; undefined for an exporter that pushes. */
  get pull(): PullExporter | undefined {
    const { exporter, name } = this.#named;
    if (exporter.mode !== 'pull') return undefined;
    return { name, contentType: exporter.contentType, render: () => this.#render(exporter) };
  }

  /** Exports for the last time, after an export that is still running. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#named.exporter.mode !== 'push') return;
    if (this.#current !== undefined) await within(this.#timeoutMs, this.#current);
    await this.#export();
  }

  #render(exporter: Extract<MetricsExporter, { mode: 'pull' }>): string {
    const { guard, snapshot } = this.#options;
    try {
      const text = guard.call(this.#id, () => checkedText(exporter.render(snapshot())));
      this.#note(undefined);
      return text;
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  /** One call at a time: one that does not end is waited for, and the intervals in between are left out. */
  async #export(): Promise<void> {
    const { exporter } = this.#named;
    if (exporter.mode !== 'push' || this.#current !== undefined) return;
    const { guard, snapshot } = this.#options;
    try {
      await guard.ask(this.#id, this.#timeoutMs, (signal) => {
        const call = (async () => exporter.export(snapshot(), signal))();
        this.#current = call.catch(() => undefined).finally(() => (this.#current = undefined));
        return call;
      });
      this.#note(undefined);
    } catch (error) {
      this.#note(error);
    }
  }

  get #id(): ExtensionId {
    return { kind: 'metrics-exporter', name: this.#named.name };
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? defaultTimeoutMs;
  }

  /** Says what is wrong, but not the same thing again at every interval. */
  #note(error: unknown): void {
    const failure = error === undefined ? undefined : reasonOf(error);
    if (failure === this.#failure) return;
    this.#failure = failure;
    const { logger } = this.#options;
    const exporter = this.#named.name;
    if (failure === undefined) logger.info({ exporter }, 'metrics exporter works again');
    else logger.warn({ exporter, detail: failure }, 'metrics exporter failed');
  }
}

/** What went wrong, without the guard's words around it; fetch hides it in the cause. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as Error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}

function checkedText(text: string): string {
  if (typeof text !== 'string') throw new Error(`its render() returns ${typeof text}`);
  return text;
}
