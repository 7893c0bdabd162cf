/**
 * Lets those who want the same thing at the same time wait for it together, each for as long as it likes: the work is given
 * up when nobody waits for it any more, and not because one of them does not.
 */

interface Work<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/** Work that is going on, by key. */
export class SharedWork<T> {
  readonly #running = new Map<string, Work<T>>();

  /**
   * Resolves with what `begin` does, which is not called when work with this key goes on.
   * @param begin Its signal is aborted when nobody waits any more.
   * @throws The reason of `signal` when it is aborted before that.
   */
  async join(key: string, begin: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const work = this.#running.get(key) ?? this.#begin(key, begin);
    work.waiting += 1;
    try {
      return await unlessAborted(work.result, signal);
    } finally {
      work.waiting -= 1;
      if (work.waiting === 0) this.#end(key, work, signal.reason);
    }
  }

  #begin(key: string, begin: (signal: AbortSignal) => Promise<T>): Work<T> {
    const abort = new AbortController();
    const work = { result: begin(abort.signal), abort, waiting: 0 };
    this.#running.set(key, work);
    const end = (): void => this.#end(key, work);
    work.result.then(end, end);
    return work;
  }

  /** Whoever comes now begins anew. */
  #end(key: string, work: Work<T>, reason?: unknown): void {
    if (this.#running.get(key) !== work) return;
    this.#running.delete(key);
    work.abort.abort(reason);
  }
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
