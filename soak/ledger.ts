/**
 * The books of a soak: what was done, what failed, and whether the disturbances of that moment excuse it.
 *
 * Work is judged by every disturbance that it met between its beginning and its end, so that no clock decides: one that
 * began when a disturbance was over has no excuse.
 */
import { performance } from 'node:perf_hooks';
import { type Excuse, excuses } from './excuse.ts';
import { type Failure, failureText } from './failure.ts';

/** A piece of work that has ended. */
export interface WorkEntry {
  readonly work: string;
  readonly host: string;
  readonly isRepeatable: boolean;
  /** By `performance.now()`, in milliseconds. */
  readonly beganMs: number;
  /** Undefined when it went well. */
  readonly failure: Failure | undefined;
}

/** One disturbance, from its first signal until everything is back. */
export interface Window {
  readonly name: string;
  readonly excuse: Excuse;
  readonly beganMs: number;
  /** Undefined while it goes on. */
  endedMs: number | undefined;
  /** Failures that it excused, by their words. */
  readonly excused: Map<string, number>;
}

/** Counts of one kind of work. */
export interface WorkCount {
  right: number;
  excused: number;
  unexplained: number;
}

/** Keeps the books. */
export class Ledger {
  /** What should not have happened, in words. */
  readonly problems: string[] = [];
  readonly counts = new Map<string, WorkCount>();
  readonly #onProblem: (text: string) => void;
  readonly #windows: Window[] = [];
  readonly #listeners = new Set<(entry: WorkEntry) => void>();

  constructor(onProblem: (text: string) => void) {
    this.#onProblem = onProblem;
  }

  /** Takes note of something that should not have happened. */
  problem(text: string): void {
    this.problems.push(text);
    this.#onProblem(text);
  }

  /** A disturbance begins. Call it before anything is done. */
  open(name: string, excuse: Excuse): Window {
    const window: Window = { name, excuse, beganMs: performance.now(), endedMs: undefined, excused: new Map() };
    this.#windows.push(window);
    return window;
  }

  /** Everything is back. */
  close(window: Window): void {
    window.endedMs = performance.now();
  }

  /** Takes a piece of work in, now that it has ended. */
  enter(entry: WorkEntry): void {
    const count = this.#countOf(entry.work);
    if (entry.failure === undefined) count.right += 1;
    else this.#judge(entry, entry.failure, count);
    for (const listener of [...this.#listeners]) listener(entry);
  }

  /** Resolves when so many pieces of work have ended that began from now on. */
  async more(pieces: number): Promise<void> {
    const fromMs = performance.now();
    let left = pieces;
    await new Promise<void>((resolve) => {
      const listener = ({ beganMs }: WorkEntry): void => {
        if (beganMs < fromMs) return;
        left -= 1;
        if (0 < left) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  #judge(entry: WorkEntry, failure: Failure, count: WorkCount): void {
    const text = failureText(failure);
    const met = this.#windows.filter(({ endedMs }) => endedMs === undefined || entry.beganMs <= endedMs);
    const excusing = met.find(({ excuse }) => excuses(excuse, { ...entry, failure }));
    if (excusing !== undefined) {
      count.excused += 1;
      excusing.excused.set(text, (excusing.excused.get(text) ?? 0) + 1);
      return;
    }
    count.unexplained += 1;
    const tookMs = Math.round(performance.now() - entry.beganMs);
    const during = met.length === 0 ? 'in quiet' : `during ${met.map(({ name }) => name).join(' and ')}`;
    this.problem(`${entry.work} on ${entry.host} failed after ${tookMs} ms, ${during}: ${text}`);
  }

  #countOf(work: string): WorkCount {
    const count = this.counts.get(work) ?? { right: 0, excused: 0, unexplained: 0 };
    this.counts.set(work, count);
    return count;
  }
}
