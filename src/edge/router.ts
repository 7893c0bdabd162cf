/**
 * Finds the upstream of a request: the endpoint's sessions, and the routing strategy's choice among them.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { Candidate, RoutingRequest, RoutingStrategy } from '../extension/routing-strategy.ts';
import type { Multiplexer } from '../tunnel/multiplexer.ts';
import type { EdgeSession } from './edge-session.ts';
import type { RouteTable } from './route-table.ts';

/** The next hop of a request. */
export interface Upstream {
  readonly session: EdgeSession;
  readonly multiplexer: Multiplexer;
  readonly transport: Candidate['transport'];
}

/** Chooses upstreams. */
export class Router {
  readonly #routes: RouteTable;
  readonly #strategy: RoutingStrategy;

  constructor(routes: RouteTable, strategy: RoutingStrategy) {
    this.#routes = routes;
    this.#strategy = strategy;
  }

  /**
   * Returns the upstream for a request; undefined when no agent is there for it.
   * @param avoided A session that has just failed to serve this request and is not asked again.
   * @throws {GiraffeError} GIR_ERR_ENDPOINT_UNKNOWN, GIR_ERR_EXTENSION_FAULT.
   */
  select(request: RoutingRequest, avoided: EdgeSession | undefined): Upstream | undefined {
    const sessions = this.#routes.find(request.host);
    if (sessions === undefined) throw new GiraffeError('GIR_ERR_ENDPOINT_UNKNOWN');
    const candidates: Candidate[] = [];
    for (const session of sessions) {
      if (session !== avoided) candidates.push(...session.candidates);
    }
    const [first, ...rest] = candidates;
    if (first === undefined) return undefined;
    const chosen = this.#choose([first, ...rest], request);
    if (chosen === undefined) return undefined;
    const session = this.#routes.session(chosen.sessionId);
    const multiplexer = session?.multiplexer(chosen.transport);
    return session && multiplexer && { session, multiplexer, transport: chosen.transport };
  }

  #choose(candidates: readonly [Candidate, ...Candidate[]], request: RoutingRequest): Candidate | undefined {
    if (candidates.length === 1) return candidates[0];
    try {
      return this.#strategy.select(candidates, request);
    } catch (cause) {
      throw new GiraffeError('GIR_ERR_EXTENSION_FAULT', 'the routing strategy failed', { cause });
    }
  }
}
