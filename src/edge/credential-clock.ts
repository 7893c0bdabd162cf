/**
 * The time by which credentials expire: the wall clock when this was made, and monotonic time since. A jump of the
 * machine's clock moves it by nothing; when the two have come apart, the log says so (docs/adr/0021-time-of-credentials.md).
 */
import { performance } from 'node:perf_hooks';
import type { Logger } from '../telemetry/logger.ts';

/** The clocks may differ by this much before anybody is told, in milliseconds. */
const tolerableMs = 60_000;
/** Time between comparisons, in milliseconds. */
const compareMs = 10_000;

/** The clock of one edge. */
export class CredentialClock {
  readonly #originMs = Date.now() - performance.now();
  /** What the log was told last, in milliseconds. */
  #toldMs = 0;

  /** Milliseconds since 1970. Never goes back. */
  readonly now = (): number => this.#originMs + performance.now();

  /** Compares with the machine's clock every 10 s, until the result is disposed of. */
  watch(logger: Logger): Disposable {
    const timer = setInterval(() => this.compare(logger), compareMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Tells the log, once for each new difference of more than a minute. */
  compare(logger: Logger): void {
    const aheadMs = Date.now() - this.now();
    if (Math.abs(aheadMs - this.#toldMs) <= tolerableMs) return;
    const isApart = Math.abs(aheadMs) > tolerableMs;
    this.#toldMs = isApart ? aheadMs : 0;
    const fields = { machineAheadSeconds: Math.round(aheadMs / 1000) };
    if (!isApart) return logger.info(fields, "the machine's clock agrees with the time of credentials again");
    logger.warn(
      fields,
      "the machine's clock was set, or the machine slept: credentials expire by the former time; " +
        'see that the clock is right, then restart the edge',
    );
  }
}
