/**
 * A clock that stands still while this process is not run, for promises in seconds on a machine that is busy with other
 * work: it turns with the event loop, and a turn that comes late counts as one that came in time.
 */
import { performance } from 'node:perf_hooks';

/** Time between turns, in milliseconds. */
const turnMs = 5;

/** A clock that runs until it is disposed of. */
export class RunningClock implements Disposable {
  #ranMs = 0;
  #turnedMs = performance.now();
  readonly #timer = setInterval(() => {
    const nowMs = performance.now();
    this.#ranMs += Math.min(nowMs - this.#turnedMs, 2 * turnMs);
    this.#turnedMs = nowMs;
  }, turnMs);

  /** Milliseconds since the start in which the process ran. */
  get ranMs(): number {
    return this.#ranMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
