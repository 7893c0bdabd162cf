/**
 * A token bucket: the one counter behind all rate limits. Pure arithmetic over the caller's clock.
 *
 * It holds `rpm + burst` tokens when full and fills at `rpm` per minute, so a minute's worth of requests may come at
 * once, the allowance above it too, and the long run is `rpm`. Whole milliseconds of filling are counted exactly: tokens
 * are kept in units of 1/60,000, of which a millisecond brings `rpm`.
 */

const unitsPerToken = 60_000;

/** One bucket. */
export class TokenBucket {
  #rpm: number;
  #capacityUnits: number;
  #units: number;
  #filledMs: number;

  /**
   * Makes a full bucket.
   * @param rpm Tokens per minute, above 0.
   * @param burst Tokens that a full bucket holds above `rpm`.
   * @param nowMs The caller's clock, in milliseconds; it must not run backwards.
   */
  constructor(rpm: number, burst: number, nowMs: number) {
    this.#rpm = rpm;
    this.#capacityUnits = (rpm + burst) * unitsPerToken;
    this.#units = this.#capacityUnits;
    this.#filledMs = Math.floor(nowMs);
  }

  /** Takes a token; false when there is none. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#units < unitsPerToken) return false;
    this.#units -= unitsPerToken;
    return true;
  }

  /** Whole tokens that are left, as of the last {@link take}. */
  get tokens(): number {
    return Math.floor(this.#units / unitsPerToken);
  }

  /** Tokens of a full bucket. */
  get capacity(): number {
    return this.#capacityUnits / unitsPerToken;
  }

  /** Milliseconds from the last {@link take} until there is a token; 0 when there is one. */
  get waitMs(): number {
    return Math.max(0, Math.ceil((unitsPerToken - this.#units) / this.#rpm));
  }

  /** Milliseconds from the last {@link take} until the bucket is full. */
  get fullInMs(): number {
    return Math.ceil((this.#capacityUnits - this.#units) / this.#rpm);
  }

  /** Milliseconds in which an empty bucket becomes full. */
  get windowMs(): number {
    return Math.ceil(this.#capacityUnits / this.#rpm);
  }

  /** Whether the bucket is full at `nowMs`, so that a new one would be the same. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#units === this.#capacityUnits;
  }

  /** Whole tokens that are left at `nowMs`. */
  left(nowMs: number): number {
    this.#fill(nowMs);
    return this.tokens;
  }

  /** Goes on with another limit: what was spent stays spent. */
  change(rpm: number, burst: number): void {
    const spentUnits = this.#capacityUnits - this.#units;
    this.#rpm = rpm;
    this.#capacityUnits = (rpm + burst) * unitsPerToken;
    this.#units = Math.max(0, this.#capacityUnits - spentUnits);
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.floor(nowMs) - this.#filledMs;
    if (elapsedMs <= 0) return;
    this.#filledMs += elapsedMs;
    this.#units = Math.min(this.#capacityUnits, this.#units + elapsedMs * this.#rpm);
  }
}
