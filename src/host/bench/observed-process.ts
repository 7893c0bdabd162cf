/**
 * A process that a bench starts: it becomes ready by a line, tells its cost, ends when it is told to, and never outlives
 * the bench, even when that is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../config/env.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { within } from '../lifecycle/within.ts';
import type { Usage, UsageAnswer, UsageQuestion } from './observed-child.ts';

/** What to start. */
export interface ProcessDescription {
  /** For messages and tables. */
  readonly name: string;
  /** Script and arguments. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly folder: string;
  /** Whether a line of stdout says that it is ready. */
  readonly isReady: (line: string) => boolean;
}

/** Time to become ready, in milliseconds. */
const readyMs = 30_000;
/** Time to end after SIGTERM, then it is killed, in milliseconds. */
const endMs = 2_000;
/** What is kept of stderr for an error, in characters. */
const maxWordsLength = 2_000;

/** Whether this program runs from its sources, and what has to be loaded then. */
const isSource = import.meta.url.endsWith('.ts');
const loader = isSource ? ['--import', import.meta.resolve('jiti/register')] : [];
const observer = new URL(`./observed-child.${isSource ? 'ts' : 'js'}`, import.meta.url).href;

/** Arguments that run our own program. */
export const ownProgram: string = fileURLToPath(
  new URL(`../../../bin/${isSource ? 'dev' : 'run'}.js`, import.meta.url),
);

/** A running process. */
export class ObservedProcess implements AsyncDisposable {
  readonly name: string;
  /** The line that said that it is ready. */
  readyLine = '';
  /** Called for each message other than those about usage. */
  onMessage: (message: object) => void = () => undefined;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #answers = new Map<number, (usage: Usage | undefined) => void>();
  #questions = 0;
  #lastWords = '';

  private constructor({ name, args, env, folder }: ProcessDescription) {
    this.name = name;
    const child = spawn(process.execPath, ['--expose-gc', ...loader, '--import', observer, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in a terminal is for the bench, which still needs what it has started.
      detached: true,
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    child.on('message', (message: object) => this.#take(message));
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#note(error.message);
        resolve();
      });
      child.once('close', () => resolve());
    });
    void this.#ended.then(() => this.#forget());
  }

  /**
   * Starts a process and waits until it is ready.
   *
   * @throws {GiraffeError} GIR_ERR_LOAD_START when it ends or takes too long.
   */
  static async start(description: ProcessDescription): Promise<ObservedProcess> {
    const started = new ObservedProcess(description);
    try {
      await started.#becomesReady(description);
      return started;
    } catch (error) {
      await started.kill();
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** Asks what it has used so far; nothing once it has ended. @param collect Whether garbage is collected before. */
  async usage(collect = false): Promise<Usage | undefined> {
    if (!this.isRunning || !this.#child.connected) return undefined;
    this.#questions += 1;
    const question: UsageQuestion = { usage: this.#questions, collect };
    return new Promise((resolve) => {
      this.#answers.set(question.usage, resolve);
      this.#child.send(question, (error) => {
        if (error !== null) resolve(undefined);
      });
    });
  }

  /** Ends it at once, as the kernel does, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks it to end, and kills it when it takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endMs);
    await this.#ended;
    clearTimeout(timer);
  }

  async #becomesReady({ name, isReady }: ProcessDescription): Promise<void> {
    const { stdout } = this.#child;
    if (stdout === null) throw new GiraffeError('GIR_ERR_LOAD_START', `${name} has no output`);
    const ready = new Promise<boolean>((resolve) => {
      const lines = createInterface({ input: stdout });
      lines.on('line', (line) => {
        if (!isReady(line)) return this.#note(`${messageOf(line)}\n`);
        this.readyLine = line;
        // Reading a line per request would cost the generator what it is to measure.
        lines.close();
        stdout.destroy();
        resolve(true);
      });
      void this.#ended.then(() => resolve(false));
    });
    if ((await within(readyMs, ready)) === true) return;
    const how = this.isRunning ? `is not ready after ${readyMs / 1000} s` : `ended (${this.#endText()})`;
    const words = this.#lastWords.trim().replaceAll(/\s*\n\s*/g, '; ');
    throw new GiraffeError('GIR_ERR_LOAD_START', `${name} ${how}${words === '' ? '' : `: ${words}`}`);
  }

  #endText(): string {
    const { exitCode, signalCode } = this.#child;
    return signalCode ?? `exit ${exitCode ?? 'unknown'}`;
  }

  #take(message: object): void {
    if (!('usage' in message)) return this.onMessage(message);
    const answer = message as UsageAnswer;
    this.#answers.get(answer.usage)?.(answer);
    this.#answers.delete(answer.usage);
  }

  #forget(): void {
    for (const resolve of this.#answers.values()) resolve(undefined);
    this.#answers.clear();
  }

  #note(text: string): void {
    this.#lastWords = (this.#lastWords + text).slice(-maxWordsLength);
  }
}

/** What our own program says goes on, or what went wrong, when it speaks to programs. */
function messageOf(line: string): string {
  if (!line.startsWith('{')) return line;
  const { message, event } = JSON.parse(line) as { readonly message?: string; readonly event?: string };
  return message ?? event ?? line;
}
