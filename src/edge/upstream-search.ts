/**
 * One exchange's search for an upstream: whom it asks, whom it does not ask again, and how long it waits for one.
 *
 * It sends nothing: the exchange opens a stream on what is found, and comes back when that failed.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { RoutingRequest, Transport } from '../extension/routing-strategy.ts';
import { isIdempotent } from '../http/message.ts';
import type { EdgeLimits } from './edge-options.ts';
import type { EdgeSession } from './edge-session.ts';
import type { RouteTable } from './route-table.ts';
import type { Router, Upstream } from './router.ts';

/** Where upstreams are looked for. */
export interface SearchContext {
  readonly routes: RouteTable;
  readonly router: Router;
  readonly limits: EdgeLimits;
}

/** The exchange that searches. */
export interface SearchOwner {
  /** When it began, by `performance.now()`, in milliseconds. */
  readonly startedMs: number;
  /** How long it waits at most for a session to have a place, in milliseconds from its start. */
  readonly requestTimeoutMs: number;
  /** The session's place is taken. Throwing ends the search. */
  onFound(upstream: Upstream): void;
  onGivenUp(error: GiraffeError): void;
}

/** Sessions that a request is sent to at most: the first, and another one. */
const maxSessions = 2;

/** One search. */
export class UpstreamSearch {
  readonly #context: SearchContext;
  readonly #routing: RoutingRequest;
  readonly #owner: SearchOwner;
  #asked: EdgeSession | undefined;
  #transport: Transport | undefined;
  #sessionsAsked = 0;
  /** Whether the session asked last is not to be asked again, even if nobody else is there. */
  #isRefused = false;
  #isOver = false;
  #stopWaiting: (() => void) | undefined;
  #waitTimer: NodeJS.Timeout | undefined;

  constructor(context: SearchContext, routing: RoutingRequest, owner: SearchOwner) {
    this.#context = context;
    this.#routing = routing;
    this.#owner = owner;
  }

  /** The session that was found last; undefined while none was. */
  get session(): EdgeSession | undefined {
    return this.#asked;
  }

  /** How it is reached. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** Looks for an upstream. */
  begin(): void {
    this.#attempt(undefined);
  }

  /**
   * Looks for another one, since the last one failed, or gives up.
   *
   * The one retry rule: nothing of the response came, and the request is whole and harmless to repeat.
   * @param isUntouched Whether nothing of the response and no octet of the request's body has passed.
   */
  retry(error: GiraffeError, isUntouched: boolean): void {
    if (this.#isOver) return;
    if (!isUntouched || !this.#mayRetry(error)) return this.#owner.onGivenUp(error);
    this.#isRefused = error.entry.retry === 'unsent';
    this.#attempt(error);
  }

  /** Ends the search. Safe to call twice. */
  stop(): void {
    this.#isOver = true;
    this.#endWait();
  }

  #mayRetry(error: GiraffeError): boolean {
    if (this.#sessionsAsked >= maxSessions) return false;
    const rule = error.entry.retry;
    return rule === 'unsent' || (rule === 'idempotent' && isIdempotent(this.#routing.method));
  }

  /** @param failure Why the last upstream did not do. */
  #attempt(failure: GiraffeError | undefined): void {
    if (this.#isOver) return;
    try {
      const upstream = this.#select();
      if (upstream === undefined) this.#awaitUpstream(failure);
      else if (this.#hasPlace(upstream)) this.#found(upstream);
    } catch (error) {
      this.#owner.onGivenUp(GiraffeError.from(error));
    }
  }

  /** Another session than the one that failed; if nobody else is there, one that only lost a carrier has another. */
  #select(): Upstream | undefined {
    const { router } = this.#context;
    const upstream = router.select(this.#routing, this.#asked);
    if (upstream !== undefined || this.#asked === undefined || this.#isRefused) return upstream;
    return router.select(this.#routing, undefined);
  }

  /** False when the session has no place; the search then waits for one. */
  #hasPlace({ session }: Upstream): boolean {
    if (this.#routing.isUpgrade || session.takePlace()) return true;
    const wait = this.#owner.requestTimeoutMs - this.#elapsedMs();
    this.#wait((onReady) => session.waitForPlace(onReady), wait, new GiraffeError('GIR_ERR_STREAM_LIMIT'));
    return false;
  }

  #found(upstream: Upstream): void {
    if (upstream.session !== this.#asked) this.#sessionsAsked += 1;
    this.#asked = upstream.session;
    this.#transport = upstream.transport;
    this.#owner.onFound(upstream);
  }

  /** Nobody is there: an agent that is only reconnecting is worth a short wait; one that was sent away is none. */
  #awaitUpstream(failure: GiraffeError | undefined): void {
    if (this.#isRefused && failure !== undefined) return this.#owner.onGivenUp(failure);
    const { routes, limits } = this.#context;
    const { host } = this.#routing;
    const graceMs = routes.isAwaited(host) ? limits.reconnectGraceMs : 0;
    this.#wait(
      (onReady) => routes.waitFor(host, onReady),
      graceMs - (failure === undefined ? this.#elapsedMs() : 0),
      failure ?? new GiraffeError('GIR_ERR_NO_UPSTREAM'),
    );
  }

  #wait(subscribe: (onReady: () => void) => () => void, waitMs: number, error: GiraffeError): void {
    if (waitMs <= 0) return this.#owner.onGivenUp(error);
    const again = (): void => {
      this.#endWait();
      this.#attempt(error.code === 'GIR_ERR_NO_UPSTREAM' || error.code === 'GIR_ERR_STREAM_LIMIT' ? undefined : error);
    };
    this.#stopWaiting = subscribe(again);
    this.#waitTimer = setTimeout(() => {
      this.#endWait();
      this.#owner.onGivenUp(error);
    }, waitMs);
  }

  #endWait(): void {
    if (this.#stopWaiting === undefined) return;
    clearTimeout(this.#waitTimer);
    this.#stopWaiting();
    this.#stopWaiting = undefined;
  }

  #elapsedMs(): number {
    return performance.now() - this.#owner.startedMs;
  }
}
