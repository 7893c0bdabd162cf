/**
 * Which names a certificate source keeps: those that are served, up to a bound. One that is served no longer keeps what it
 * has until its place is needed.
 */

/** A name that is not asked for this long is served no longer, in milliseconds: the edge repeats its names every hour. */
const servedMs = 24 * 3_600_000;

interface Wanted<T> {
  readonly kept: T;
  askedMs: number;
}

/** Names, and what is kept for each. */
export class WantedNames<T> {
  readonly #max: number;
  readonly #now: () => number;
  readonly #names = new Map<string, Wanted<T>>();

  /**
   * @param max Names at most, a count.
   * @param now Milliseconds of a clock that does not jump.
   */
  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
  }

  /** Notes that a name is served. Returns false when it has no place, since all that are kept are served, too. */
  ask(name: string, make: () => T): boolean {
    const known = this.#names.get(name);
    if (known === undefined && !this.#hasPlace()) return false;
    // The one asked for last stands last.
    this.#names.delete(name);
    this.#names.set(name, { kept: known?.kept ?? make(), askedMs: this.#now() });
    return true;
  }

  get(name: string): T | undefined {
    return this.#names.get(name)?.kept;
  }

  /** Names that are served. */
  *served(): Generator<[name: string, kept: T]> {
    for (const [name, wanted] of this.#names) if (this.#isServed(wanted)) yield [name, wanted.kept];
  }

  #hasPlace(): boolean {
    if (this.#names.size < this.#max) return true;
    const [oldest] = this.#names;
    if (oldest === undefined || this.#isServed(oldest[1])) return false;
    return this.#names.delete(oldest[0]);
  }

  #isServed({ askedMs }: Wanted<T>): boolean {
    return this.#now() - askedMs < servedMs;
  }
}
