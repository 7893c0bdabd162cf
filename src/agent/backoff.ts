/**
 * How long to wait before the next attempt, so that many agents that lost the same edge do not come back at once.
 */

/** Bounds of the delays, in milliseconds. */
export interface BackoffBounds {
  /** The first delay is at most this. */
  readonly firstMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
}

/** Used unless the options say otherwise: 1 s to 30 s. */
export const defaultBackoff: BackoffBounds = { firstMs: 1000, maxMs: 30_000 };

/**
 * Returns a delay with full jitter: anything from 0 to the bound, which is as long as the trouble has lasted.
 *
 * Of many agents that lost the same edge, all are back when it has been there for as long as it was away, and at no time
 * do they come at more than 3 times their mean rate. A bound that doubles with each failure brings most of them at once,
 * at up to 8 times that rate, and some of them long after.
 *
 * @param elapsedMs Time since the trouble began, in milliseconds; 0 for the first delay.
 * @param random A number from 0 up to but not including 1.
 */
export function backoffMs(elapsedMs: number, { firstMs, maxMs }: BackoffBounds, random: number): number {
  return Math.round(Math.min(maxMs, Math.max(firstMs, elapsedMs)) * random);
}

/** Resolves after a time, in milliseconds, or as soon as the signal is aborted. Keeps the process alive. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
