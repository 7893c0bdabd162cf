/**
 * Counts durations so that percentiles can be told later: log-linear buckets as in HdrHistogram, 128 for each doubling,
 * so that a percentile is off by less than 1 %. One observation is a few shifts and one addition; memory is fixed.
 */

/** Buckets are in units of 10 µs, so that the shortest exchanges still differ. */
const unitsPerMs = 100;
/** Buckets of each doubling; below twice as many units every unit has its own. */
const subBuckets = 128;
const subBits = 7;
/** Longest duration that is told apart, an hour, in units; longer ones count as that. */
const maxUnits = 3_600_000 * unitsPerMs;
const bucketCount = bucketOf(maxUnits) + 1;

/** A distribution of durations. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(bucketCount);
  #count = 0;
  #maxMs = 0;

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
    const bucket = bucketOf(Math.min(maxUnits, Math.max(0, durationMs * unitsPerMs)) >>> 0);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** Counts all observations of another histogram as well. */
  add(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
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
    for (let bucket = 0; found.length < shares.length && bucket < bucketCount; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      // The smallest number of observations that is at least the share; a share of 0.99 of 100 must be 99.
      while (found.length < shares.length && seen >= Math.ceil((shares[found.length] ?? 1) * this.#count - 1e-9)) {
        found.push(Math.min(this.#maxMs, middleOf(bucket) / unitsPerMs));
      }
    }
    return found;
  }
}

/** The bucket of a number of units. */
function bucketOf(units: number): number {
  if (units < 2 * subBuckets) return units;
  const shift = 31 - Math.clz32(units) - subBits;
  return subBuckets * shift + (units >>> shift);
}

/** The middle of a bucket, in units. */
function middleOf(bucket: number): number {
  if (bucket < 2 * subBuckets) return bucket + 0.5;
  const shift = Math.floor(bucket / subBuckets) - 1;
  return (bucket - subBuckets * shift + 0.5) * 2 ** shift;
}
