/**
 * The processes of a soak: a giraffe that can be killed, frozen and asked what it holds, and of which the last words are kept.
 *
 * One that ends without being told to is told to whoever listens: no disturbance excuses a crash.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Usage, UsageAnswer, UsageQuestion } from '../src/host/bench/observed-child.ts';
import { root } from '../test/support/repository.ts';

/** Time to become ready, in milliseconds: ample on a busy machine. */
const readyMs = 60_000;
/** What is kept of what a process says, in characters. */
const maxLastWords = 6_000;
/** Collects garbage and tells memory when it is asked, and ends the process with this one. */
const observer = `${root}dist/host/bench/observed-child.js`;

const living = new Set<ChildProcess>();
process.on('exit', () => {
  // A frozen one would not hear that this process is gone.
  for (const child of living) child.kill('SIGKILL');
});

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One `giraffe`. */
export class GiraffeProcess {
  readonly name: string;
  /** Its event `ready`. */
  readyEvent: Readonly<Record<string, unknown>> = {};
  /** What it has written last, its lines about requests left out. */
  lastWords = '';
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  #isExpectedToEnd = false;
  #questions = 0;

  private constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv, onCrash: OnCrash) {
    this.name = name;
    const child = spawn(process.execPath, ['--expose-gc', '--import', observer, `${root}bin/run.js`, ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C is for the soak, which ends what it has started.
      detached: true,
    });
    this.#child = child;
    living.add(child);
    child.setMaxListeners(0);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        living.delete(child);
        if (!this.#isExpectedToEnd) onCrash(this, { code, signal });
        resolve({ code, signal });
      });
    });
  }

  /** Starts `giraffe` and waits for its event `ready`. */
  static async start(
    name: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    onCrash: OnCrash,
  ): Promise<GiraffeProcess> {
    const started = new GiraffeProcess(name, args, env, onCrash);
    await started.#becomesReady();
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal that does not end it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void {
    this.#child.kill(signal);
  }

  /** Ends it and resolves when it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<End> {
    this.#isExpectedToEnd = true;
    this.#child.kill(signal);
    return this.ended;
  }

  /** Open file descriptors, a count (Linux). */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Returns what it holds after a full collection. */
  async usage(): Promise<Usage> {
    this.#questions += 1;
    const question: UsageQuestion = { usage: this.#questions, collect: true };
    return new Promise((resolve) => {
      const take = (answer: UsageAnswer): void => {
        if (answer.usage !== question.usage) return;
        this.#child.off('message', take);
        resolve(answer);
      };
      this.#child.on('message', take);
      this.#child.send(question);
    });
  }

  async #becomesReady(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const ready = new Promise<boolean>((resolve) => {
      const { stdout } = this.#child;
      if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#take(line, resolve));
      void this.ended.then(() => resolve(false));
      timer = setTimeout(() => resolve(false), readyMs);
    });
    const isReady = await ready;
    clearTimeout(timer);
    if (!isReady) throw new Error(`${this.name} does not become ready; it said:\n${this.lastWords}`);
  }

  /** Takes one line of `--json`. */
  #take(line: string, onReady: (isReady: true) => void): void {
    if (line.includes('"event":"request"')) return;
    this.#note(`${line}\n`);
    if (!line.includes('"event":"ready"')) return;
    this.readyEvent = JSON.parse(line) as Record<string, unknown>;
    onReady(true);
  }

  #note(text: string): void {
    this.lastWords = (this.lastWords + text).slice(-maxLastWords);
  }
}

/** Told of a process that has ended without being told to. */
export type OnCrash = (process: GiraffeProcess, end: End) => void;
