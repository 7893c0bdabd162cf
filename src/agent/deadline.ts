/**
 * Time limits and cancellation for the steps of an attempt, without the signals that Node 20 keeps alive too long.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { createDeferred } from './deferred.ts';

/** A signal with a time limit. Call `end` when what it limits is over. */
export interface LimitedSignal {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

/**
 * Returns a signal that follows another one and has a time limit.
 *
 * @param timeoutMs The limit, in milliseconds.
 * @param reason Makes the error that the signal is aborted with when the time is over.
 */
export function limitedSignal(parent: AbortSignal, timeoutMs: number, reason: () => GiraffeError): LimitedSignal {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent.reason);
  const timer = setTimeout(() => controller.abort(reason()), timeoutMs);
  parent.addEventListener('abort', follow);
  if (parent.aborted) follow();
  const end = (): void => {
    clearTimeout(timer);
    parent.removeEventListener('abort', follow);
  };
  return { signal: controller.signal, end };
}

/**
 * Waits for a value, but not longer than the signal allows.
 *
 * @throws {GiraffeError} The reason of `signal`.
 */
export async function withSignal<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = createDeferred<never>();
  const abort = (): void => aborted.reject(GiraffeError.from(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([value, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
