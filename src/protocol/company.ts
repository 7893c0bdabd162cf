/**
 * Knows whether a stream has company: others that began after it, and not long ago. Pure: the caller passes the time.
 *
 * The octets of a large transfer that are under way stand in line on the path, where no sender can let a small exchange
 * pass them; so a transfer in company has less under way. Exchanges that come and go are what counts as company; another
 * large transfer does not, once it is under way.
 */

/** A stream is company for so long after its beginning, in milliseconds. */
const companyMs = 500;
/** What a transfer in company may have under way on a short path, in octets. */
const shortPathBytes = 128 * 1024;
/** What it may have for each millisecond of the round trip, in octets: a path of any length still gives it 64 MB/s. */
const bytesPerRoundTripMs = 64 * 1024;

/** The streams of one session, by when they began. */
export class Company {
  #begun = 0;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** A stream begins; returns its number, for {@link isWith}. */
  join(nowMs: number): number {
    this.#begun += 1;
    this.#latestMs = nowMs;
    return this.#begun;
  }

  /** Whether the stream with this number has company. */
  isWith(number: number, nowMs: number): boolean {
    return number !== this.#begun && nowMs - this.#latestMs < companyMs;
  }
}

/** Returns what a transfer in company may have under way, in octets. @param roundTripMs Of the path, in milliseconds. */
export function bytesInCompany(roundTripMs: number): number {
  return Math.max(shortPathBytes, roundTripMs * bytesPerRoundTripMs);
}
