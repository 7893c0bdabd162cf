/**
 * A bucket under the name by which clients see it, and the texts in which they do.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11 (RateLimit header fields for HTTP)
 */
import type { FieldLine, FieldLines } from '../../http/field-line.ts';
import type { RateLimit } from '../../protocol/tunnel-policy.ts';
import { TokenBucket } from './token-bucket.ts';

/** Names of our quota policies, as clients see them. */
export type QuotaName = 'tunnel' | 'client' | 'edge';

/** One quota. */
export class Quota {
  readonly #name: QuotaName;
  readonly #bucket: TokenBucket;
  /** Changes with the limit alone. */
  #policyText: string;

  constructor(name: QuotaName, { rpm, burst }: RateLimit, nowMs: number) {
    this.#name = name;
    this.#bucket = new TokenBucket(rpm, burst, nowMs);
    this.#policyText = this.#policy();
  }

  /** Goes on with another limit: what was spent stays spent. */
  change({ rpm, burst }: RateLimit): void {
    this.#bucket.change(rpm, burst);
    this.#policyText = this.#policy();
  }

  /** Counts a request; false when there is no room for it. */
  take(nowMs: number): boolean {
    return this.#bucket.take(nowMs);
  }

  /** Requests that have room at `nowMs`. */
  left(nowMs: number): number {
    return this.#bucket.left(nowMs);
  }

  /** Whether a new quota would be the same. */
  isFull(nowMs: number): boolean {
    return this.#bucket.isFull(nowMs);
  }

  /** Milliseconds from the last {@link take} until there is room. */
  get waitMs(): number {
    return this.#bucket.waitMs;
  }

  /** The quota as an item of RateLimit-Policy. */
  get policyText(): string {
    return this.#policyText;
  }

  /** What is left, as of the last {@link take}, as an item of RateLimit. */
  get stateText(): string {
    return `"${this.#name}";r=${this.#bucket.tokens};t=${seconds(this.#bucket.fullInMs)}`;
  }

  #policy(): string {
    return `"${this.#name}";q=${this.#bucket.capacity};w=${seconds(this.#bucket.windowMs)}`;
  }
}

const noFields: FieldLines = [];

/** Returns RateLimit-Policy and RateLimit for some quotas; nothing for none. */
export function rateLimitFields(quotas: readonly Quota[]): FieldLines {
  const [first, ...rest] = quotas;
  if (first === undefined) return noFields;
  let policies = first.policyText;
  let states = first.stateText;
  for (const quota of rest) {
    policies += `, ${quota.policyText}`;
    states += `, ${quota.stateText}`;
  }
  return [
    ['RateLimit-Policy', policies],
    ['RateLimit', states],
  ];
}

/** Returns Retry-After; never 0, which would ask the client to come again at once. */
export function retryAfter(waitMs: number): FieldLine {
  return ['Retry-After', String(Math.max(1, seconds(waitMs)))];
}

/** Whole seconds, rounded up: who waits as long as it is told does not come too early. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
