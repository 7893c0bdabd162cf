/**
 * Drives callers by a pace and records what comes of it. Knows no socket.
 *
 * Requests that have begun may end after the pace is over, within their time limit; those that a stop cuts off are not
 * counted at all.
 */
import { performance } from 'node:perf_hooks';
import type { Caller } from './caller.ts';
import type { FailureKind } from './failure-kind.ts';
import type { LoadRecord } from './load-record.ts';
import type { Pace } from './pace.ts';

/** What a run is made of. */
export interface LoadRunOptions {
  readonly callers: readonly Caller[];
  readonly record: LoadRecord;
  /** Time from the real start of a request to its whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Makes the pace when the clock starts. */
  readonly pace: (startMs: number) => Pace;
  /** Whether requests have intended starts, so that it matters how late they begin. */
  readonly isOpenLoop: boolean;
}

/** Pause of one caller after a connection could not be made, in milliseconds: nothing is gained by a busy loop. */
const pauseAfterRefusalMs = 50;
const noConnection: ReadonlySet<FailureKind> = new Set([
  'refused',
  'unreachable',
  'dns',
  'tls',
  'descriptors',
  'local-ports',
]);

/** A request under way. */
interface Lane {
  readonly caller: Caller;
  /** Real start in milliseconds; undefined while idle. */
  sentMs: number | undefined;
  /** What a late answer must carry to be heard: a call that timed out has another number by then. */
  turn: number;
}

/** One run. */
export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #lanes: readonly Lane[];
  readonly #idle: Lane[] = [];
  #pace: Pace | undefined;
  #resolve: () => void = () => undefined;
  #sweep: NodeJS.Timeout | undefined;
  #wake: NodeJS.Timeout | undefined;
  #inFlight = 0;
  #isDone = false;

  constructor(options: LoadRunOptions) {
    this.#options = options;
    this.#lanes = options.callers.map((caller) => ({ caller, sentMs: undefined, turn: 0 }));
  }

  /** Share that is done, from 0 to 1. */
  get progress(): number {
    return this.#pace?.progress(performance.now()) ?? 0;
  }

  /** Runs to the end. Callers stay open. */
  async run(): Promise<void> {
    if (this.#isDone) return;
    const startMs = performance.now();
    this.#pace = this.#options.pace(startMs);
    this.#options.record.begin(startMs);
    const { timeoutMs } = this.#options;
    this.#sweep = setInterval(() => this.#checkTime(), Math.min(250, Math.max(5, timeoutMs / 20)));
    const ended = new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
    this.#idle.push(...this.#lanes);
    this.#sendDue();
    await ended;
  }

  /** Ends the run now. What is under way is given up and not counted. */
  stop(): void {
    if (this.#isDone) return;
    for (const lane of this.#lanes) {
      if (lane.sentMs === undefined) continue;
      lane.turn += 1;
      lane.caller.abort();
    }
    this.#finish(performance.now());
  }

  /** Sends what is due on idle lanes, and arranges for the next time. */
  #sendDue(): void {
    const pace = this.#pace;
    if (pace === undefined || this.#isDone) return;
    clearTimeout(this.#wake);
    this.#wake = undefined;
    for (let lane = this.#idle.pop(); lane !== undefined; lane = this.#idle.pop()) {
      const nowMs = performance.now();
      const intendedMs = pace.take(nowMs);
      if (intendedMs === undefined) {
        this.#idle.push(lane);
        break;
      }
      this.#send(lane, intendedMs, nowMs);
    }
    this.#arrange(pace);
  }

  #arrange(pace: Pace): void {
    const nowMs = performance.now();
    if (pace.isOver(nowMs)) {
      if (this.#inFlight === 0 && !this.#isDone) this.#finish(nowMs);
      return;
    }
    if (this.#idle.length === 0 || this.#wake !== undefined) return;
    const waitMs = pace.waitMs(nowMs);
    if (waitMs !== undefined) this.#wake = setTimeout(() => this.#sendDue(), waitMs);
  }

  #send(lane: Lane, intendedMs: number, nowMs: number): void {
    const { record, isOpenLoop } = this.#options;
    if (isOpenLoop) record.lag(nowMs - intendedMs);
    lane.turn += 1;
    const { turn } = lane;
    lane.sentMs = nowMs;
    this.#inFlight += 1;
    lane.caller.call((status, failure) => {
      if (lane.turn !== turn || this.#isDone) return;
      this.#settle(lane, intendedMs, status, failure);
    });
  }

  #settle(lane: Lane, intendedMs: number, status: number, failure: FailureKind | undefined): void {
    const nowMs = performance.now();
    const { record } = this.#options;
    if (failure === undefined) record.succeed(nowMs, nowMs - intendedMs, status);
    else record.fail(nowMs, failure, status);
    lane.sentMs = undefined;
    this.#inFlight -= 1;
    if (failure !== undefined && noConnection.has(failure)) this.#pause(lane);
    else this.#next(lane, nowMs);
  }

  #next(lane: Lane, nowMs: number): void {
    const pace = this.#pace;
    const intendedMs = pace?.take(nowMs);
    if (intendedMs !== undefined) return this.#send(lane, intendedMs, nowMs);
    this.#idle.push(lane);
    if (pace !== undefined) this.#arrange(pace);
  }

  #pause(lane: Lane): void {
    setTimeout(() => {
      this.#idle.push(lane);
      this.#sendDue();
    }, pauseAfterRefusalMs);
  }

  /** One timer for all requests: one each would cost more than sending them. */
  #checkTime(): void {
    const nowMs = performance.now();
    const { record, timeoutMs } = this.#options;
    for (const lane of this.#lanes) {
      if (lane.sentMs === undefined || nowMs - lane.sentMs < timeoutMs) continue;
      lane.turn += 1;
      lane.caller.abort();
      record.fail(nowMs, 'timeout', 0);
      lane.sentMs = undefined;
      this.#inFlight -= 1;
      this.#idle.push(lane);
    }
    this.#giveUpOverdue(nowMs);
    this.#sendDue();
  }

  /** What waits for a connection longer than it could have waited for its answer has failed. */
  #giveUpOverdue(nowMs: number): void {
    const { record, timeoutMs } = this.#options;
    const pace = this.#pace;
    if (pace === undefined) return;
    for (let left = pace.overdue(nowMs - timeoutMs); 0 < left; left -= 1) {
      pace.take(nowMs);
      record.fail(nowMs, 'not-sent', 0);
    }
  }

  #finish(nowMs: number): void {
    this.#isDone = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#wake);
    this.#options.record.end(nowMs);
    this.#resolve();
  }
}
