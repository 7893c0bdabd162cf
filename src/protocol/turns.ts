/**
 * Decides whose turn it is to send on a carrier: more urgent streams before less urgent ones, among equals those that have
 * sent little before bulk, and each of these in the order in which they came. Nobody starves: behind a number of slices of
 * the preferred, one of the others gets a turn.
 *
 * @see RFC 9218 section 4.1 (Urgency)
 */

/** The least urgent of all; 0 is the most urgent. */
export const maxUrgency = 7;
/** What a stream has unless somebody says otherwise. */
export const usualUrgency = 3;
/** A stream counts as small until it has sent this many octets. */
export const smallStreamBytes = 64 * 1024;
/** After this many slices of small streams, one bulk stream of the same urgency gets a turn. */
const smallSlicesPerBulkSlice = 8;
/** After this many slices of the most urgent streams, a less urgent one gets a turn. */
const urgentSlicesPerOther = 32;

/** What a turn is decided by. */
export interface TurnTaker {
  /** From 0 to {@link maxUrgency}. */
  readonly urgency: number;
  /** Octets sent so far. */
  readonly sentBytes: number;
}

/** The turns of everybody who waits. */
export class Turns<T extends TurnTaker> {
  readonly #levels = Array.from({ length: maxUrgency + 1 }, () => new Level<T>());
  /** One bit for each level at which somebody waits: the common case is one level, and must cost nothing. */
  #waiting = 0;
  #urgentSlices = 0;
  /** The level below the most urgent one that had a turn last. */
  #lastOther = 0;

  get isEmpty(): boolean {
    return this.#waiting === 0;
  }

  /** Lines up behind those of the same kind. */
  add(taker: T): void {
    this.#levels[taker.urgency]?.add(taker);
    this.#waiting |= 1 << taker.urgency;
  }

  /** Takes the next one out; undefined when nobody waits. */
  next(): T | undefined {
    if (this.#waiting === 0) return undefined;
    const index = this.#nextLevel();
    const level = this.#levels[index];
    const taker = level?.next();
    if (level?.isEmpty === true) this.#waiting &= ~(1 << index);
    return taker;
  }

  #nextLevel(): number {
    const first = lowestBit(this.#waiting);
    const others = this.#waiting & ~(1 << first);
    if (others === 0) {
      this.#urgentSlices = 0;
      return first;
    }
    this.#urgentSlices += 1;
    if (this.#urgentSlices <= urgentSlicesPerOther) return first;
    this.#urgentSlices = 0;
    const behindLast = others & ~((2 << this.#lastOther) - 1);
    this.#lastOther = lowestBit(behindLast === 0 ? others : behindLast);
    return this.#lastOther;
  }
}

/** Those of one urgency. */
class Level<T extends TurnTaker> {
  readonly #small: T[] = [];
  readonly #bulk: T[] = [];
  #smallSlices = 0;

  get isEmpty(): boolean {
    return this.#small.length === 0 && this.#bulk.length === 0;
  }

  add(taker: T): void {
    (taker.sentBytes < smallStreamBytes ? this.#small : this.#bulk).push(taker);
  }

  next(): T | undefined {
    const isBulkTurn = this.#smallSlices >= smallSlicesPerBulkSlice && this.#bulk.length > 0;
    if (this.#small.length > 0 && !isBulkTurn) {
      this.#smallSlices += 1;
      return this.#small.shift();
    }
    this.#smallSlices = 0;
    return this.#bulk.shift();
  }
}

/** Number of the lowest bit that is set; `bits` is not 0. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
