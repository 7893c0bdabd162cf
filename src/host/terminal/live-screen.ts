/** A part of the terminal of its own that is drawn again and again, and is gone afterwards as if it had never been. */

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const endOfLine = '\u001b[K';
const below = '\u001b[J';

/** What is needed of stdout. */
export interface ScreenStream {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The screen. */
export class LiveScreen implements Disposable {
  readonly #stream: ScreenStream;
  readonly #onExit = () => this[Symbol.dispose]();
  #isOver = false;

  constructor(stream: ScreenStream) {
    this.#stream = stream;
    stream.write(enter);
    // Whatever ends the process, the terminal is as it was.
    process.once('exit', this.#onExit);
  }

  get columns(): number {
    return this.#stream.columns ?? 80;
  }

  /** Puts lines in the place of what was there; those that do not fit are counted. */
  draw(lines: readonly string[]): void {
    const rows = this.#stream.rows ?? 24;
    const shown =
      lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} lines more`];
    this.#stream.write(`${home}${shown.map((line) => `${line}${endOfLine}`).join('\n')}${below}`);
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    process.off('exit', this.#onExit);
    this.#stream.write(leave);
  }
}
