/** What happened in each slice of a run's time, for a plot: a bounded number of slices, whose width grows with the run. */
import { Latencies } from './latencies.ts';

/** One slice. */
export interface TimeSlice {
  /** Where it begins, in seconds since the measured time began. */
  readonly atSeconds: number;
  readonly seconds: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Undefined when nothing succeeded. In a slice made of several ones, the highest of theirs. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** More slices than a plot has room for are joined in pairs. */
const maxSlices = 240;

/** Slices of one run. Times are milliseconds since the measured time began, and never go back. */
export class Timeline {
  readonly #whole: Latencies;
  readonly #current = new Latencies();
  #widthMs: number;
  #endMs: number;
  #failed = 0;
  #slices: TimeSlice[] = [];

  /** @param whole Where latencies end up, once the slice that they fall into is over. */
  constructor(widthMs: number, whole: Latencies) {
    this.#whole = whole;
    this.#widthMs = widthMs;
    this.#endMs = widthMs;
  }

  succeed(atMs: number, latencyMs: number): void {
    if (this.#endMs <= atMs) this.#advance(atMs);
    this.#current.record(latencyMs);
  }

  fail(atMs: number): void {
    if (this.#endMs <= atMs) this.#advance(atMs);
    this.#failed += 1;
  }

  /** Ends the slice under way. What comes later in its time begins another one. */
  flush(atMs: number): void {
    this.#advance(atMs);
    const startMs = this.#endMs - this.#widthMs;
    if (startMs < atMs && 0 < this.#current.count + this.#failed) this.#close(startMs, atMs - startMs);
  }

  get slices(): readonly TimeSlice[] {
    return this.#slices;
  }

  #advance(atMs: number): void {
    while (this.#endMs <= atMs) {
      this.#close(this.#endMs - this.#widthMs, this.#widthMs);
      this.#endMs += this.#widthMs;
      if (maxSlices <= this.#slices.length) this.#widen();
    }
  }

  #close(startMs: number, lengthMs: number): void {
    this.#slices.push({
      atSeconds: startMs / 1000,
      seconds: lengthMs / 1000,
      succeeded: this.#current.count,
      failed: this.#failed,
      p50Ms: this.#current.percentileMs(50),
      p99Ms: this.#current.percentileMs(99),
    });
    this.#whole.add(this.#current);
    this.#current.reset();
    this.#failed = 0;
  }

  #widen(): void {
    const pairs: TimeSlice[] = [];
    for (let at = 0; at < this.#slices.length; at += 2) {
      const [first, second] = this.#slices.slice(at, at + 2);
      if (first !== undefined) pairs.push(second === undefined ? first : joined(first, second));
    }
    this.#slices = pairs;
    this.#widthMs *= 2;
    this.#endMs += this.#widthMs / 2;
  }
}

function joined(first: TimeSlice, second: TimeSlice): TimeSlice {
  return {
    atSeconds: first.atSeconds,
    seconds: first.seconds + second.seconds,
    succeeded: first.succeeded + second.succeeded,
    failed: first.failed + second.failed,
    p50Ms: higher(first.p50Ms, second.p50Ms),
    p99Ms: higher(first.p99Ms, second.p99Ms),
  };
}

function higher(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
