/**
 * Notices when nothing has moved for a while. Moving costs one reading of the clock; there is one timer for each watch.
 */
import { performance } from 'node:perf_hooks';

/** Watches one thing that should move now and then. */
export class IdleWatch {
  readonly #timeoutMs: number;
  readonly #onIdle: () => void;
  #movedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** @param onIdle Called once, after `timeoutMs` milliseconds without a move. */
  constructor(timeoutMs: number, onIdle: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onIdle = onIdle;
    this.#look();
  }

  moved(): void {
    this.#movedMs = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const leftMs = this.#movedMs + this.#timeoutMs - performance.now();
    if (leftMs <= 0) this.#onIdle();
    else this.#timer = setTimeout(() => this.#look(), leftMs);
  }
}
