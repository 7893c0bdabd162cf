/** Shows how far a bench is, on one line of a terminal that is written again and again; nothing without a terminal. */
import { countText } from '../../load/quantity.ts';
import type { MeasureProgress } from './measure-ways.ts';

const intervalMs = 150;
const maxBarWidth = 30;

/** Writes progress to a terminal. */
export class ProgressBar implements Disposable {
  readonly #stream: NodeJS.WriteStream;
  readonly #isShown: boolean;
  #ask: () => MeasureProgress = () => ({ label: 'starting', done: 0, requests: 0, failed: 0 });
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream, isShown: boolean) {
    this.#stream = stream;
    this.#isShown = isShown;
    if (!isShown) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), intervalMs);
  }

  /** From now on, shows this. */
  show(ask: () => MeasureProgress): void {
    this.#ask = ask;
    if (this.#isShown) this.#draw();
  }

  /** Takes the line away. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#isShown) this.#stream.write('\r\u001b[K');
  }

  #draw(): void {
    this.#stream.write(`\r${progressText(this.#ask(), this.#stream.columns ?? 80)}\u001b[K`);
  }
}

/** Returns the line, shorter than the terminal is wide. */
export function progressText({ label, done, requests, failed }: MeasureProgress, columns: number): string {
  const counts =
    requests === 0 ? '' : `${countText(requests)} requests${failed === 0 ? '' : `, ${countText(failed)} failed`}`;
  const percent = `${Math.floor(done * 100)}%`.padStart(4);
  const width = Math.min(maxBarWidth, columns - label.length - counts.length - 10);
  const filled = Math.round(done * width);
  const bar = width < 5 ? '' : `${'█'.repeat(filled)}${'░'.repeat(width - filled)} `;
  return `${bar}${percent}  ${label}${counts === '' ? '' : `  ${counts}`}`.slice(0, columns - 1);
}
