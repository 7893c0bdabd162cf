/**
 * Decides how much a peer may send on a stream before we have passed it on.
 *
 * A window starts at up to 1 MiB, doubles up to 16 MiB while its reader keeps up
 * and the path is long enough to need it, and halves for a reader that does not
 * keep up. All windows of a session share one pool, so that what a session can
 * make us hold is bounded. While exchanges come and go beside it, a window gets
 * less, and while much arrives for streams that are more urgent, no more than the
 * minimum: what is under way stands in line on the path, where no sender can let
 * others pass it. Pure: the caller passes the time.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { Arrivals } from './arrivals.ts';
import { bytesInCompany, Company } from './company.ts';
import { usualUrgency } from './turns.ts';

/**
 * Every stream may have this much under way, in octets, however full the pool is.
 * It is also what a request body may use before the agent has granted anything.
 */
export const minWindowBytes = 32 * 1024;
/** A window starts with at most this, in octets. */
export const initialWindowBytes = 1024 * 1024;
/** A window never grows above this, in octets. */
export const maxWindowBytes = 16 * 1024 * 1024;
/** A new window takes at most this share of what the pool has left, so that later ones find something too. */
const poolShare = 1 / 16;
/** Growth is judged over at least this long, in milliseconds, so that one burst proves nothing. */
const measureMs = 20;
/** A reader that leaves more than half of its window unread for this long is slow, in milliseconds. */
const slowReaderMs = 500;

/** What all windows of one session may promise together. */
export class CreditPool {
  /** What arrives for all windows, by urgency. */
  readonly arrivals = new Arrivals();
  /** When the windows began. */
  readonly company = new Company();
  readonly #maxBytes: number;
  #freeBytes: number;

  /** @param maxBytes Bound for the session, in octets, beyond {@link minWindowBytes} for each stream. Default 64 MiB. */
  constructor(maxBytes = 64 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
    this.#freeBytes = maxBytes;
  }

  /** Octets nobody has been promised. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Octets that are promised: under way, or not passed on. */
  get promisedBytes(): number {
    return this.#maxBytes - this.#freeBytes;
  }

  /** Takes up to `wantedBytes`; returns what was taken. */
  take(wantedBytes: number): number {
    const taken = Math.max(0, Math.min(wantedBytes, Math.floor(this.#freeBytes)));
    this.#freeBytes -= taken;
    return taken;
  }

  /** Gives octets back. */
  give(bytes: number): void {
    this.#freeBytes += bytes;
  }
}

/** Credit bookkeeping for the receiving end of one stream. */
export class ReceiveWindow {
  readonly #pool: CreditPool;
  /** The size aimed at: credit under way plus octets not passed on. */
  #limitBytes: number;
  /** What the pool was charged: what is promised, under way or unread beyond {@link minWindowBytes}. */
  #chargedBytes: number;
  #creditBytes: number;
  #unreadBytes = 0;
  #isClosed = false;
  #hasEnded = false;
  /** Octets and start of the current measurement of the reader's pace. */
  #measuredBytes = 0;
  #measuredSinceMs: number;
  #fullSinceMs: number | undefined;
  #urgency = usualUrgency;
  /** Which one it is in the pool's company. */
  readonly #number: number;

  /**
   * @param grantedBytes What the sender may send without asking, from {@link sizeFor} or {@link minWindowBytes};
   *   the rest of the window is granted by {@link initialGrant}.
   */
  constructor(pool: CreditPool, grantedBytes: number, nowMs: number) {
    this.#pool = pool;
    this.#creditBytes = grantedBytes;
    this.#limitBytes = grantedBytes;
    this.#chargedBytes = Math.max(0, grantedBytes - minWindowBytes);
    this.#measuredSinceMs = nowMs;
    this.#number = pool.company.join(nowMs);
  }

  /** Chooses the size of a new window from what the pool has left, in octets. The pool is charged. */
  static sizeFor(pool: CreditPool): number {
    const wanted = Math.min(initialWindowBytes, pool.freeBytes * poolShare) - minWindowBytes;
    return minWindowBytes + (wanted > 0 ? pool.take(Math.floor(wanted)) : 0);
  }

  /** Octets received and not yet passed on. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  /** The size aimed at, in octets. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Says how urgent the stream is, from 0 (first) to 7; before anything arrives. */
  prioritize(urgency: number): void {
    this.#urgency = urgency;
    this.#pool.arrivals.watch();
  }

  /** Raises the window to a size from {@link sizeFor}; returns the increment to announce, in octets, 0 for none. */
  initialGrant(sizeBytes: number): number {
    const chargedBytes = sizeBytes - minWindowBytes;
    if (this.#isClosed || this.#hasEnded) {
      this.#pool.give(chargedBytes);
      return 0;
    }
    this.#chargedBytes += chargedBytes;
    this.#limitBytes = sizeBytes;
    const increment = Math.max(0, sizeBytes - this.#creditBytes - this.#unreadBytes);
    this.#creditBytes += increment;
    return increment;
  }

  /**
   * Counts octets that arrived.
   * @throws {GiraffeError} GIR_ERR_FLOW_CONTROL when the sender had no credit for them.
   */
  received(bytes: number, nowMs: number): void {
    if (bytes > this.#creditBytes) {
      throw new GiraffeError('GIR_ERR_FLOW_CONTROL', `${bytes} bytes with a credit of ${this.#creditBytes}`);
    }
    this.#creditBytes -= bytes;
    this.#unreadBytes += bytes;
    this.#pool.arrivals.note(this.#urgency, bytes, nowMs);
    if (this.#unreadBytes * 2 > this.#limitBytes) this.#fullSinceMs ??= nowMs;
  }

  /**
   * Counts octets that were passed on; returns the credit to announce now, in octets, 0 for none.
   * @param bytes What goes beyond {@link unreadBytes} is not counted.
   * @param roundTripMs Shortest round trip seen on the carrier lately, in milliseconds.
   */
  consumed(bytes: number, nowMs: number, roundTripMs: number): number {
    const countedBytes = Math.min(bytes, this.#unreadBytes);
    this.#unreadBytes -= countedBytes;
    this.#measuredBytes += countedBytes;
    if (this.#isClosed) return 0;
    if (!this.#hasEnded) this.#adapt(nowMs, roundTripMs);
    this.#release();
    if (this.#hasEnded) return 0;
    const limitBytes = this.#presentLimitBytes(nowMs, roundTripMs);
    const missing = limitBytes - this.#creditBytes - this.#unreadBytes;
    // Small increments would cost a frame each; an eighth keeps the sender from ever running dry.
    if (missing * 8 < limitBytes) return 0;
    this.#creditBytes += missing;
    return missing;
  }

  /**
   * The sender has said all it had to say: what was promised beyond that goes back to the pool, and the rest as it is
   * passed on, so that octets which wait for a slow reader stay within the bound.
   */
  end(): void {
    this.#creditBytes = 0;
    this.#limitBytes = minWindowBytes;
    this.#hasEnded = true;
    this.#release();
  }

  /** Returns what the window holds to the pool. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pool.give(this.#chargedBytes);
    this.#chargedBytes = 0;
    this.#limitBytes = minWindowBytes;
  }

  /** The size aimed at, or less while others are to pass. */
  #presentLimitBytes(nowMs: number, roundTripMs: number): number {
    const { arrivals, company } = this.#pool;
    if (arrivals.isBusyAbove(this.#urgency, nowMs)) return minWindowBytes;
    if (!company.isWith(this.#number, nowMs)) return this.#limitBytes;
    return Math.min(this.#limitBytes, bytesInCompany(roundTripMs));
  }

  #adapt(nowMs: number, roundTripMs: number): void {
    if (this.#fullSinceMs !== undefined && nowMs - this.#fullSinceMs >= slowReaderMs) {
      this.#limitBytes = Math.max(minWindowBytes, Math.floor(this.#limitBytes / 2));
      this.#fullSinceMs = this.#unreadBytes * 2 > this.#limitBytes ? nowMs : undefined;
      return;
    }
    if (this.#unreadBytes * 4 <= this.#limitBytes) this.#fullSinceMs = undefined;
    const elapsedMs = nowMs - this.#measuredSinceMs;
    if (elapsedMs < Math.max(measureMs, roundTripMs)) return;
    // The reader's pace times the bare round trip is what the path can hold. Bare, because time spent in
    // queues would otherwise justify ever larger windows, and longer queues.
    const pathBytes = (this.#measuredBytes / elapsedMs) * roundTripMs;
    this.#measuredBytes = 0;
    this.#measuredSinceMs = nowMs;
    const keepsUp = this.#unreadBytes * 4 <= this.#limitBytes;
    if (keepsUp && pathBytes * 2 >= this.#limitBytes) this.#grow();
  }

  #grow(): void {
    const chargedBytes = Math.min(this.#limitBytes * 2, maxWindowBytes) - minWindowBytes;
    if (chargedBytes > this.#chargedBytes) this.#chargedBytes += this.#pool.take(chargedBytes - this.#chargedBytes);
    this.#limitBytes = Math.min(chargedBytes, this.#chargedBytes) + minWindowBytes;
  }

  /** Gives back what a window that has shrunk does not need any more; the rest follows as it is passed on. */
  #release(): void {
    const heldBytes = Math.max(this.#limitBytes, this.#creditBytes + this.#unreadBytes);
    const surplusBytes = this.#chargedBytes - (heldBytes - minWindowBytes);
    if (surplusBytes <= 0) return;
    this.#pool.give(surplusBytes);
    this.#chargedBytes -= surplusBytes;
  }
}
