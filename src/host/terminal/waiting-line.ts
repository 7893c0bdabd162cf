/** One line at the bottom of a terminal that shows what is waited for, and goes away when it has come. */
import { Listr, type ListrLogger } from 'listr2';
import { within } from '../lifecycle/within.ts';
import { terminalLogger } from './terminal-logger.ts';

/** What comes sooner than this needs no line, in milliseconds. */
const patienceMs = 100;
const showCursor = '\u001b[?25h';

/** The line of one terminal. */
export class WaitingLine {
  readonly #logger: ListrLogger;

  constructor(terminal: NodeJS.WriteStream) {
    this.#logger = terminalLogger(terminal);
    // Ctrl-C while a line is redrawn must not leave the terminal without its cursor.
    process.once('exit', () => terminal.write(showCursor));
    process.once('SIGINT', () => process.exit(130));
  }

  /** Shows a title until something has settled. Never rejects. */
  async until(title: string, settled: Promise<unknown>): Promise<void> {
    const end = settled.catch(() => undefined);
    if ((await within(patienceMs, end)) !== 'late') return;
    const list = new Listr(
      { title, task: () => end.then(() => undefined) },
      {
        renderer: 'default',
        rendererOptions: { logger: this.#logger, clearOutput: true },
        forceTTY: true,
        registerSignalListeners: false,
      },
    );
    await list.run();
  }
}
