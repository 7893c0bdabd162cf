/** Latencies of a load, kept as an HDR histogram: constant memory, and every percentile within 0.1 %. */
import { build, type Histogram } from 'hdr-histogram-js';

/** The longest latency that is told apart, in microseconds: one hour. */
const highestMicros = 3_600_000_000;
const significantDigits = 3;

/** Counts of latencies. Takes and returns milliseconds, and keeps microseconds. */
export class LatencyHistogram {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestMicros,
    numberOfSignificantValueDigits: significantDigits,
  });
  #minMicros = Number.POSITIVE_INFINITY;
  #maxMicros = 0;
  /** The histogram's own average is that of the middles of its classes. */
  #sumMicros = 0;

  /** How many latencies are in it. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Adds one latency. Less than a microsecond counts as one, more than an hour as an hour. */
  record(latencyMs: number): void {
    const micros = Math.min(Math.max(1, Math.round(latencyMs * 1000)), highestMicros);
    if (micros < this.#minMicros) this.#minMicros = micros;
    if (this.#maxMicros < micros) this.#maxMicros = micros;
    this.#sumMicros += micros;
    this.#histogram.recordValue(micros);
  }

  /** Adds all that another one holds. */
  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
    this.#sumMicros += other.#sumMicros;
    this.#minMicros = Math.min(this.#minMicros, other.#minMicros);
    this.#maxMicros = Math.max(this.#maxMicros, other.#maxMicros);
  }

  /** Empties it. */
  reset(): void {
    this.#histogram.reset();
    this.#minMicros = Number.POSITIVE_INFINITY;
    this.#maxMicros = 0;
    this.#sumMicros = 0;
  }

  /** Milliseconds; undefined when it is empty. @param percentile From 0 to 100; 100 is the highest latency itself. */
  percentileMs(percentile: number): number | undefined {
    if (this.count === 0) return undefined;
    if (percentile === 100) return this.#maxMicros / 1000;
    // The histogram tells the upper end of a class of equal values; no value was above the highest one.
    return Math.min(this.#histogram.getValueAtPercentile(percentile), this.#maxMicros) / 1000;
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
    return this.count === 0 ? undefined : this.#histogram.stdDeviation / 1000;
  }
}
