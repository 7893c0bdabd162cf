/** Counts observations in buckets: a few additions for each, and no memory that grows. */

/** Buckets of the duration of HTTP requests in OpenTelemetry's semantic conventions, upper bounds in seconds. */
export const requestDurationBounds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** A distribution. */
export class Histogram {
  /** Upper bounds of the buckets, included in them, rising. */
  readonly bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** Counts one observation, in the unit of the bounds. */
  observe(value: number): void {
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    this.#count += 1;
  }

  /** Returns the figures of this moment: observations of each bucket alone, the last one without an upper bound. */
  read(): { readonly counts: readonly number[]; readonly sum: number; readonly count: number } {
    return { counts: [...this.#counts], sum: this.#sum, count: this.#count };
  }
}
