/**
 * The rate limits of one place (an endpoint, or the whole edge): one bucket for all, and one for each client address.
 */
import type { RateLimit } from '../../protocol/tunnel-policy.ts';
import { ClientTable } from './client-table.ts';
import type { QuotaName } from './rate-limit-fields.ts';
import { TokenBucket } from './token-bucket.ts';

/** A named bucket that a request was counted in. */
export type Quota = readonly [QuotaName, TokenBucket];

/** Where a rate limit stands. */
export interface RateState {
  readonly perMinute: number;
  readonly burst: number;
  /** Requests that may come at once now. */
  readonly remaining: number;
}

/** One bucket whose limit can change while it is in use. */
export class SharedRate {
  readonly #nowMs: () => number;
  readonly #name: QuotaName;
  #limit: RateLimit | undefined;
  #bucket: TokenBucket | undefined;

  constructor(name: QuotaName, nowMs: () => number) {
    this.#name = name;
    this.#nowMs = nowMs;
  }

  /** Puts another limit in force; what was spent stays spent. */
  change(limit: RateLimit | undefined): void {
    this.#limit = limit;
    if (limit === undefined) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(limit.rpm, limit.burst, this.#nowMs());
    else this.#bucket.change(limit.rpm, limit.burst);
  }

  /** Where the limit stands; undefined without one. */
  get state(): RateState | undefined {
    if (this.#limit === undefined || this.#bucket === undefined) return undefined;
    const { rpm, burst } = this.#limit;
    return { perMinute: rpm, burst, remaining: this.#bucket.left(this.#nowMs()) };
  }

  /** Counts a request. Adds its bucket to `shown` when clients may see it; returns it when it was empty. */
  count(nowMs: number, shown: Quota[]): Quota | undefined {
    if (this.#bucket === undefined) return undefined;
    const quota: Quota = [this.#name, this.#bucket];
    const isLeft = this.#bucket.take(nowMs);
    if (!isLeft || this.#limit?.announce === true) shown.push(quota);
    return isLeft ? undefined : quota;
  }
}

/** One bucket for each client address. */
export class ClientRate {
  readonly #nowMs: () => number;
  readonly #name: QuotaName;
  #limit: RateLimit | undefined;
  #clients: ClientTable<TokenBucket> | undefined;

  constructor(name: QuotaName, nowMs: () => number) {
    this.#name = name;
    this.#nowMs = nowMs;
  }

  /** Puts another limit in force; what was spent stays spent. */
  change(limit: RateLimit | undefined): void {
    this.#limit = limit;
    if (limit === undefined) {
      this.#clients = undefined;
      return;
    }
    for (const bucket of this.#clients?.values ?? []) bucket.change(limit.rpm, limit.burst);
    this.#clients ??= new ClientTable(
      () => this.#newBucket(),
      (bucket) => bucket.isFull(this.#nowMs()),
    );
  }

  /** Counts a request of a client, as {@link SharedRate.count} does. */
  count(address: string, nowMs: number, shown: Quota[]): Quota | undefined {
    if (this.#clients === undefined) return undefined;
    const bucket = this.#clients.of(address);
    const quota: Quota = [this.#name, bucket];
    const isLeft = bucket.take(nowMs);
    if (!isLeft || this.#limit?.announce === true) shown.push(quota);
    return isLeft ? undefined : quota;
  }

  #newBucket(): TokenBucket {
    const { rpm, burst } = this.#limit ?? { rpm: 1, burst: 0 };
    return new TokenBucket(rpm, burst, this.#nowMs());
  }
}
