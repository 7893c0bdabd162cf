/**
 * Finds the upstream of a request: the endpoint's sessions, and the routing strategy's choice among them.
 *
 * A strategy is somebody else's code: what it throws or makes up is a fault of its own, and never reaches a wire.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ExtensionGuard } from '../extension/guard.ts';
import type {
  Candidate,
  FixedAnswer,
  NonEmpty,
  RoutingDecision,
  RoutingRequest,
  RoutingStrategy,
} from '../extension/routing-strategy.ts';
import type { FieldLines } from '../http/field-line.ts';
import { assertForwardableTrailers } from '../http/field-validation.ts';
import { maxUrgency } from '../protocol/turns.ts';
import type { Multiplexer } from '../tunnel/multiplexer.ts';
import type { EdgeOptions } from './edge-options.ts';
import type { EdgeSession } from './edge-session.ts';
import type { RouteTable } from './route-table.ts';

/** The next hop of a request. */
export interface Upstream {
  readonly session: EdgeSession;
  readonly multiplexer: Multiplexer;
  readonly transport: Candidate['transport'];
  /** Name of the agent's target; undefined is the endpoint's own. */
  readonly targetName: string | undefined;
  /** How urgent the exchange is, from 0 to 7; undefined is the usual. */
  readonly urgency: number | undefined;
  /** Lines that the strategy adds to the response. */
  readonly responseFields: FieldLines;
}

const noFields: FieldLines = [];
/** Names of targets, as a configuration file gives them. */
const targetName = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** What is in force; it changes while the router works. */
type RouterOptions = Pick<EdgeOptions, 'strategy' | 'strategyName' | 'logger'>;

/** Chooses upstreams. */
export class Router {
  readonly #routes: RouteTable;
  readonly #options: RouterOptions;
  readonly #guard: ExtensionGuard;

  constructor(routes: RouteTable, options: RouterOptions, guard: ExtensionGuard) {
    this.#routes = routes;
    this.#options = options;
    this.#guard = guard;
  }

  /**
   * Returns the strategy's own answer to a request; undefined when an agent shall answer.
   * @throws {GiraffeError} GIR_ERR_EXTENSION_FAULT.
   */
  answer(request: RoutingRequest): FixedAnswer | undefined {
    const { strategy } = this.#options;
    if (strategy.answer === undefined) return undefined;
    return this.#guarded(() => {
      const answer = strategy.answer?.(request);
      if (answer !== undefined) assertAnswer(answer);
      return answer;
    });
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
      if (session !== avoided) candidates.push(...session.candidatesFor(request.host));
    }
    if (!isSome(candidates)) return undefined;
    const decision = this.#guarded(() => decide(this.#options.strategy, candidates, request));
    const { candidate, target, urgency, responseFields = noFields } = decision;
    if (candidate === undefined) return undefined;
    const session = this.#routes.session(candidate.sessionId);
    const multiplexer = session?.multiplexer(candidate.transport);
    if (session === undefined || multiplexer === undefined) return undefined;
    return { session, multiplexer, transport: candidate.transport, targetName: target, urgency, responseFields };
  }

  #guarded<T>(work: () => T): T {
    const name = this.#options.strategyName ?? 'custom';
    try {
      return this.#guard.call({ kind: 'routing-strategy', name }, work);
    } catch (error) {
      const { cause = error } = error as Error;
      this.#options.logger.error({ strategy: name, err: cause }, 'the routing strategy failed');
      throw error;
    }
  }
}

function isSome(candidates: readonly Candidate[]): candidates is NonEmpty<Candidate> {
  return candidates.length > 0;
}

function decide(strategy: RoutingStrategy, candidates: NonEmpty<Candidate>, request: RoutingRequest): RoutingDecision {
  const decision = strategy.select(candidates, request);
  if ('then' in decision) throw new Error('it returns a promise');
  const { candidate, target, urgency, responseFields } = decision;
  if (candidate !== undefined && !candidates.includes(candidate)) throw new Error('it chose none of the candidates');
  if (target !== undefined && !targetName.test(target)) throw new Error('its target has no valid name');
  if (urgency !== undefined && !isUrgency(urgency)) throw new Error('its urgency is not a number from 0 to 7');
  if (responseFields !== undefined) assertForwardableTrailers(responseFields);
  return decision;
}

function isUrgency(value: unknown): boolean {
  return Number.isInteger(value) && 0 <= Number(value) && Number(value) <= maxUrgency;
}

/** The answer of a strategy is framed by the edge, so it may say nothing about that itself. */
function assertAnswer({ status, fields, body }: FixedAnswer): void {
  if (typeof body !== 'string') throw new Error('an answer whose body is no text');
  if (!Number.isInteger(status) || status < 200 || 599 < status) throw new Error('a status outside 200 to 599');
  assertForwardableTrailers(fields);
}
