/** Chance that repeats: everything a soak decides comes from its seed. Not for secrets. */

/** A stream of decisions. */
export class Random {
  #state: number;

  /** @param seed A whole number; streams of neighbouring seeds have nothing in common. */
  constructor(seed: number) {
    // Spread over all bits (the finalizer of MurmurHash3), and never 0, which xorshift cannot leave.
    let state = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    this.#state = (state ^ (state >>> 16)) >>> 0 || 1;
  }

  /** A number from 0 to below 1. */
  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state / 2 ** 32;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True with this chance, from 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of several. */
  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.between(0, values.length - 1)] ?? values[0];
  }

  /** Another order of the same values. */
  shuffled<T>(values: readonly T[]): T[] {
    const keyed = values.map((value) => ({ value, key: this.next() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
  }
}
