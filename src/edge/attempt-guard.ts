/**
 * Slows down whoever guesses: counts failed attempts per address, delays each further refusal, and in the end refuses
 * without looking.
 *
 * Only refusals are delayed, so correct credentials are never slowed, whatever their address; after too many failures
 * an address has to wait, correct or not. It keeps no credentials, and no more addresses than its bound.
 */

/** Failures without any delay: people mistype. */
const freeFailures = 3;
/** Delay of the first slowed refusal, in milliseconds; it doubles with each further one. */
const firstDelayMs = 100;
/** Longest delay of a refusal, in milliseconds: well below the time for a handshake. */
const maxDelayMs = 2000;
/** From so many failures on, attempts are refused without being looked at. */
const maxFailures = 30;
/** One failure is forgiven for each such time without a further one, in milliseconds. */
const forgivenessMs = 10_000;
/** Addresses remembered at once. Above it the one whose last failure is the oldest is forgotten. */
const maxAddresses = 10_000;

interface Failures {
  readonly count: number;
  readonly sinceMs: number;
}

/** The failed attempts at one edge. */
export class AttemptGuard {
  readonly #isExempt: (address: string) => boolean;
  readonly #now: () => number;
  /** In the order of their last failures. */
  readonly #records = new Map<string, Failures>();

  /**
   * @param isExempt True for addresses that stand for many people, such as a proxy in front: they are never slowed.
   * @param now A clock that never goes back, in milliseconds.
   */
  constructor(isExempt: (address: string) => boolean, now: () => number) {
    this.#isExempt = isExempt;
    this.#now = now;
  }

  /** Number of addresses remembered. */
  get size(): number {
    return this.#records.size;
  }

  /** Returns how long this address has to wait before anything of it is looked at, in milliseconds; usually 0. */
  waitMs(address: string): number {
    const record = this.#records.get(keyOf(address));
    if (record === undefined || this.#countOf(record) < maxFailures) return 0;
    return Math.max(1, forgivenessMs - ((this.#now() - record.sinceMs) % forgivenessMs));
  }

  /** Notes a failed attempt and returns how long to wait before it is answered, in milliseconds. */
  failed(address: string): number {
    if (this.#isExempt(address)) return 0;
    const key = keyOf(address);
    const before = this.#records.get(key);
    const failures = Math.min(maxFailures, (before === undefined ? 0 : this.#countOf(before)) + 1);
    this.#records.delete(key);
    this.#records.set(key, { count: failures, sinceMs: this.#now() });
    const [oldest] = this.#records.keys();
    if (oldest !== undefined && this.#records.size > maxAddresses) this.#records.delete(oldest);
    return failures <= freeFailures ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - freeFailures - 1));
  }

  #countOf({ count, sinceMs }: Failures): number {
    return Math.max(0, count - Math.floor((this.#now() - sinceMs) / forgivenessMs));
  }
}

/** A person with IPv6 has at least a /64: its addresses count as one. */
function keyOf(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}
