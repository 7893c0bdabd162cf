/**
 * Counts durations so that percentiles can be told later: log-linear buckets as in HdrHistogram. One observation is a few
 * shifts and one addition; memory is fixed.
 */

/** How fine durations are told apart. */
export interface Resolution {
  /** Units of a millisecond; durations below the first doublings are told apart by one unit. */
  readonly unitsPerMs: number;
  /** Buckets of each doubling, as a power of two: a percentile is off by less than one part of so many. */
  readonly subBits: number;
}

/** Units of 10 µs, so that the shortest exchanges still differ; below 1 % off; 12 KiB. */
const coarse: Resolution = { unitsPerMs: 100, subBits: 7 };
/** Longest duration that is told apart, an hour, in milliseconds; longer ones count as that. */
const longestMs = 3_600_000;

/** A distribution of durations. */
export class LatencyHistogram {
  readonly #unitsPerMs: number;
  readonly #subBits: number;
  readonly #maxUnits: number;
  readonly #counts: Uint32Array;
  #count = 0;
  #maxMs = 0;

  /** @param resolution Of the histograms that are added up, all have the same. Default units of 10 µs, and below 1 % off. */
  constructor({ unitsPerMs, subBits }: Resolution = coarse) {
    this.#unitsPerMs = unitsPerMs;
    this.#subBits = subBits;
    this.#maxUnits = longestMs * unitsPerMs;
    this.#counts = new Uint32Array(bucketOf(this.#maxUnits, subBits) + 1);
  }

  /** Observations. */
  get count(): number {
    return this.#count;
  }

  /** The longest one, in milliseconds; 0 without any. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Counts a duration, in milliseconds. */
  observe(durationMs: number): void {
    const units = Math.min(this.#maxUnits, Math.max(0, durationMs * this.#unitsPerMs)) >>> 0;
    const bucket = bucketOf(units, this.#subBits);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** Counts all observations of another histogram as well. */
  add(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    }
    this.#count += other.#count;
    if (other.#maxMs > this.#maxMs) this.#maxMs = other.#maxMs;
  }

  /**
   * Returns the durations below which these shares of the observations are, in milliseconds; 0 without any.
   * @param shares Rising, above 0 and up to 1.
   */
  percentiles(shares: readonly number[]): number[] {
    const found: number[] = [];
    let seen = 0;
    for (let bucket = 0; found.length < shares.length && bucket < this.#counts.length; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      // The smallest number of observations that is at least the share; a share of 0.99 of 100 must be 99.
      while (found.length < shares.length && seen >= Math.ceil((shares[found.length] ?? 1) * this.#count - 1e-9)) {
        found.push(Math.min(this.#maxMs, middleOf(bucket, this.#subBits) / this.#unitsPerMs));
      }
    }
    return found;
  }
}

/** The bucket of a number of units. */
function bucketOf(units: number, subBits: number): number {
  if (units < 2 << subBits) return units;
  const shift = 31 - Math.clz32(units) - subBits;
  return (shift << subBits) + (units >>> shift);
}

/** The middle of a bucket, in units. */
function middleOf(bucket: number, subBits: number): number {
  if (bucket < 2 << subBits) return bucket + 0.5;
  const shift = (bucket >> subBits) - 1;
  return (bucket - (shift << subBits) + 0.5) * 2 ** shift;
}
