/**
 * Finds out whether an origin refuses the endpoint's name, as dev servers do: host header `auto`.
 *
 * It asks for `/` under both names. An origin that refuses the endpoint's and takes its own gets its own from then on
 * ({@link HostTranslation}); every other one gets the client's.
 */
import { performance } from 'node:perf_hooks';
import { targetAuthority } from '../http/target.ts';
import { statusOf } from './origin-probe.ts';
import type { OriginDialer } from './origin-socket.ts';

/** By which servers refuse a host: Bad Request, Forbidden, Misdirected Request. */
const refusals: ReadonlySet<number> = new Set([400, 403, 421]);
/** Time for one look, in milliseconds. */
const timeoutMs = 5000;
/** Refusals make us look again at most this often, in milliseconds: they may well be meant for the client. */
const againMs = 2000;

/** What is known about one endpoint and its origin. */
export class HostGuess {
  readonly #dialer: OriginDialer;
  readonly #endpoint: string;
  #refusesHost = false;
  #isLooking = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(dialer: OriginDialer, endpoint: string) {
    this.#dialer = dialer;
    this.#endpoint = endpoint;
  }

  /** How Host is to be made now. */
  get hostHeader(): 'preserve' | 'rewrite' {
    return this.#refusesHost ? 'rewrite' : 'preserve';
  }

  /** Looks at the origin. While it cannot be reached, nothing changes. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookedAtMs = performance.now();
    const ask = (host: string): Promise<number | undefined> => statusOf(this.#dialer, '/', { host, timeoutMs });
    const [asked, own] = await Promise.all([ask(this.#endpoint), ask(targetAuthority(this.#dialer.target))]);
    this.#isLooking = false;
    if (asked !== undefined && own !== undefined) this.#refusesHost = refusals.has(asked) && !refusals.has(own);
  }

  /** Takes note of an answer to a client: the origin may have another opinion than when we looked. */
  answered(status: number): void {
    const isDue = performance.now() - this.#lookedAtMs > againMs;
    if (isDue && refusals.has(status)) void this.look();
  }
}
