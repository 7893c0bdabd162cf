/** Latencies of a load: the shared histogram, at a resolution at which every percentile is within 0.1 %, and exact sums. */
import { LatencyHistogram } from '../telemetry/latency-histogram.ts';

/** What is told apart: a microsecond, and 1,024 values of each doubling. */
const resolution = { unitsPerMs: 1000, subBits: 10 };
/** The shortest and the longest latency that are told apart, in microseconds; the longest is an hour. */
const lowestMicros = 1;
const highestMicros = 3_600_000_000;

/** Counts of latencies. Takes and returns milliseconds, and keeps microseconds. */
export class Latencies {
  #histogram = new LatencyHistogram(resolution);
  #minMicros = Number.POSITIVE_INFINITY;
  #maxMicros = 0;
  #sumMicros = 0;
  #sumOfSquares = 0;

  /** How many latencies are in it. */
  get count(): number {
    return this.#histogram.count;
  }

  /** Adds one latency. Less than a microsecond counts as one, more than an hour as an hour. */
  record(latencyMs: number): void {
    const micros = Math.min(Math.max(lowestMicros, Math.round(latencyMs * 1000)), highestMicros);
    if (micros < this.#minMicros) this.#minMicros = micros;
    if (this.#maxMicros < micros) this.#maxMicros = micros;
    this.#sumMicros += micros;
    this.#sumOfSquares += micros * micros;
    // In the middle of its unit, where no rounding moves it into the one before.
    this.#histogram.observe((micros + 0.5) / 1000);
  }

  /** Adds all that another one holds. */
  add(other: Latencies): void {
    this.#histogram.add(other.#histogram);
    this.#sumMicros += other.#sumMicros;
    this.#sumOfSquares += other.#sumOfSquares;
    this.#minMicros = Math.min(this.#minMicros, other.#minMicros);
    this.#maxMicros = Math.max(this.#maxMicros, other.#maxMicros);
  }

  /** Empties it. */
  reset(): void {
    this.#histogram = new LatencyHistogram(resolution);
    this.#minMicros = Number.POSITIVE_INFINITY;
    this.#maxMicros = 0;
    this.#sumMicros = 0;
    this.#sumOfSquares = 0;
  }

  /** Milliseconds; undefined when it is empty. @param percentile From 0 to 100; 100 is the highest latency itself. */
  percentileMs(percentile: number): number | undefined {
    if (this.count === 0) return undefined;
    if (percentile === 100) return this.#maxMicros / 1000;
    const [middleMs = 0] = this.#histogram.percentiles([percentile / 100]);
    const micros = Math.floor(middleMs * 1000);
    return Math.min(this.#maxMicros, Math.max(this.#minMicros, micros)) / 1000;
  }

  /** Milliseconds; undefined when it is empty. */
  get minMs(): number | undefined {
    return this.count === 0 ? undefined : this.#minMicros / 1000;
  }

  /** Milliseconds; undefined when it is empty. */
  get averageMs(): number | undefined {
    return this.count === 0 ? undefined : this.#sumMicros / this.count / 1000;
  }

  /** Standard deviation in milliseconds; undefined when it is empty. */
  get deviationMs(): number | undefined {
    if (this.count === 0) return undefined;
    const mean = this.#sumMicros / this.count;
    return Math.sqrt(Math.max(0, this.#sumOfSquares / this.count - mean * mean)) / 1000;
  }
}
