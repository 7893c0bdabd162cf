/**
 * Lets costly work happen a few at a time, and whoever asks for much of it wait behind those who ask for little.
 */

/** A number of places for work, given to askers in turn. */
export class Turns {
  #free: number;
  readonly #maxWaiting: number;
  /** Who waits, by asker; the asker that waits longest for its turn comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /**
   * @param places How much happens at once, a count.
   * @param maxWaiting How much of one asker may wait, a count.
   */
  constructor(places: number, maxWaiting: number) {
    this.#free = places;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `work` when it is its turn; returns undefined, at once, when too much of this asker waits already.
   * @throws The reason of `signal` when it is aborted before that.
   */
  async take<T>(asker: string, work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else if (this.#maxWaiting <= (this.#waiting.get(asker)?.length ?? 0)) return undefined;
    else await this.#place(asker, signal);
    try {
      return await work();
    } finally {
      this.#giveBack();
    }
  }

  #place(asker: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(asker) ?? [];
      this.#waiting.set(asker, queue);
      const give = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        queue.splice(queue.indexOf(give), 1);
        if (queue.length === 0) this.#waiting.delete(asker);
        reject(signal.reason);
      };
      queue.push(give);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** To the next asker, who then goes to the end of the line. */
  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    const [asker, queue] = next;
    this.#waiting.delete(asker);
    const give = queue.shift();
    if (queue.length > 0) this.#waiting.set(asker, queue);
    give?.();
  }
}
