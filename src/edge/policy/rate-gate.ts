/**
 * The rate limits of one place (an endpoint, or the whole edge): one quota for all, and one for each client address.
 */
import type { RateLimit } from '../../protocol/tunnel-policy.ts';
import { ClientTable } from './client-table.ts';
import { Quota, type QuotaName } from './quota.ts';

/** Where a rate limit stands. */
export interface RateState {
  readonly perMinute: number;
  readonly burst: number;
  /** Requests that may come at once now. */
  readonly remaining: number;
}

/** One quota whose limit can change while it is in use. */
export class SharedRate {
  readonly #nowMs: () => number;
  readonly #name: QuotaName;
  #limit: RateLimit | undefined;
  #quota: Quota | undefined;

  constructor(name: QuotaName, nowMs: () => number) {
    this.#name = name;
    this.#nowMs = nowMs;
  }

  /** Puts another limit in force; what was spent stays spent. */
  change(limit: RateLimit | undefined): void {
    this.#limit = limit;
    if (limit === undefined) this.#quota = undefined;
    else if (this.#quota === undefined) this.#quota = new Quota(this.#name, limit, this.#nowMs());
    else this.#quota.change(limit);
  }

  /** Where the limit stands; undefined without one. */
  get state(): RateState | undefined {
    if (this.#limit === undefined || this.#quota === undefined) return undefined;
    const { rpm, burst } = this.#limit;
    return { perMinute: rpm, burst, remaining: this.#quota.left(this.#nowMs()) };
  }

  /** Whether nothing was spent, or all of it has come back. */
  get isFull(): boolean {
    return this.#quota?.isFull(this.#nowMs()) ?? true;
  }

  /** Counts a request. Adds its quota to `shown` when clients may see it; returns it when there was no room. */
  count(nowMs: number, shown: Quota[]): Quota | undefined {
    return this.#quota === undefined ? undefined : counted(this.#quota, this.#limit, nowMs, shown);
  }
}

/** One quota for each client address. */
export class ClientRate {
  readonly #nowMs: () => number;
  readonly #name: QuotaName;
  #limit: RateLimit | undefined;
  #clients: ClientTable<Quota> | undefined;

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
    for (const quota of this.#clients?.values ?? []) quota.change(limit);
    this.#clients ??= new ClientTable(
      () => new Quota(this.#name, this.#limit ?? limit, this.#nowMs()),
      (quota) => quota.isFull(this.#nowMs()),
    );
  }

  /** Counts a request of a client, as {@link SharedRate.count} does. */
  count(address: string, nowMs: number, shown: Quota[]): Quota | undefined {
    return this.#clients === undefined ? undefined : counted(this.#clients.of(address), this.#limit, nowMs, shown);
  }
}

function counted(quota: Quota, limit: RateLimit | undefined, nowMs: number, shown: Quota[]): Quota | undefined {
  const isLeft = quota.take(nowMs);
  if (!isLeft || limit?.announce === true) shown.push(quota);
  return isLeft ? undefined : quota;
}
