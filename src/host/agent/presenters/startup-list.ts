/**
 * The lines of an agent's start, as a listr2 list on stderr: redrawn on a terminal, plain lines anywhere else.
 *
 * Steps come one after the other, so that no line is there before it is true.
 */
import { Listr, type ListrLogger, ListrLogLevels } from 'listr2';
import { createDeferred } from '../../../agent/deferred.ts';
import { terminalLogger } from '../../terminal/terminal-logger.ts';

/** A step that has begun. It ends once. */
export interface StartupStep {
  /** Ends well; the line then reads `title`. */
  succeed(title: string): void;
  /** Ends badly, for a reason. */
  fail(reason: string): void;
}

/** A list that grows as things happen. */
export class StartupList {
  readonly #isInteractive: boolean;
  readonly #logger: ListrLogger;
  #shown: Promise<unknown> = Promise.resolve();

  constructor(stderr: NodeJS.WriteStream, isInteractive: boolean) {
    this.#isInteractive = isInteractive;
    this.#logger = terminalLogger(stderr);
  }

  /** Shows a line that is true by now. */
  line(text: string): void {
    this.#enqueue(() => this.#logger.log(ListrLogLevels.COMPLETED, text));
  }

  /** Shows the line of something that begins. */
  begin(title: string): StartupStep {
    const end = createDeferred<{ readonly title: string } | { readonly reason: string }>();
    this.#enqueue(() => this.#run(title, end.promise));
    return {
      succeed: (text) => end.resolve({ title: text }),
      fail: (reason) => end.resolve({ reason }),
    };
  }

  /** Resolves when everything is written. */
  async settled(): Promise<void> {
    await this.#shown;
  }

  #enqueue(work: () => unknown): void {
    this.#shown = this.#shown.then(work);
  }

  async #run(title: string, end: Promise<{ readonly title: string } | { readonly reason: string }>): Promise<void> {
    const list = new Listr(
      {
        title,
        task: async (_context, task) => {
          const outcome = await end;
          if ('reason' in outcome) throw new Error(outcome.reason);
          task.title = outcome.title;
        },
      },
      {
        renderer: this.#isInteractive ? 'default' : 'simple',
        rendererOptions: { logger: this.#logger, collapseErrors: false },
        exitOnError: false,
        forceTTY: this.#isInteractive,
        registerSignalListeners: false,
      },
    );
    await list.run();
  }
}
