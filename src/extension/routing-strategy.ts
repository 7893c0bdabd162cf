/**
 * The contract of routing strategies: which agent serves a request, and over which transport.
 */
import type { FieldLines } from '../http/field-line.ts';

/** The two ways to an agent: the gRPC tunnel and the TCP tunnel. */
export type Transport = 'grpc' | 'tcp';

/** One way in which a request can be served: one agent over one transport that is up right now. */
export interface Candidate {
  /** The agent's session; candidates of the same agent share it. */
  readonly sessionId: string;
  /** The agent's process; the same again when it reconnects and gets another session. */
  readonly agentId: string;
  readonly transport: Transport;
  /** Exchanges and relays in flight at that agent, over both transports. */
  readonly inFlight: number;
  /** False when the agent is late with an answer to a ping, or says that its origin does not answer. */
  readonly isHealthy: boolean;
  /** What the agent was started with (`--label`), for rules. */
  readonly labels: readonly string[];
  /** Relative share of the traffic, from the agent (`--weight`); 1 unless it says otherwise. */
  readonly weight: number;
}

/** What a strategy may look at. */
export interface RoutingRequest {
  readonly method: string;
  /** Host of the endpoint, lower case, without port. */
  readonly host: string;
  /** The path alone, without query. */
  readonly path: string;
  readonly fields: FieldLines;
  readonly isUpgrade: boolean;
  /** Address of the client. */
  readonly clientAddress: string;
}

/** At least one element. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** More than a candidate: what else shall be done with the request. */
export interface RoutingDecision {
  /** One of the candidates; undefined refuses the request with 503. */
  readonly candidate: Candidate | undefined;
  /** Name of another target that the agent was configured with; undefined is the endpoint's own. */
  readonly target?: string | undefined;
  /**
   * How urgent the bodies of the exchange, both ways, are beside those of others on the same connection: from 0, which goes
   * first, to 7, which waits for the others (RFC 9218 section 4.1). Default 3.
   */
  readonly urgency?: number | undefined;
  /** Field lines added to the response, for example a cookie that makes a visitor stay. */
  readonly responseFields?: FieldLines | undefined;
}

/** A response that no agent is asked for. */
export interface FixedAnswer {
  readonly status: number;
  readonly fields: FieldLines;
  readonly body: string;
}

/** Chooses among candidates. On the hot path: synchronous, no I/O, must not throw and must not change its input. */
export interface RoutingStrategy {
  /** Chooses how a request is served. */
  select(candidates: NonEmpty<Candidate>, request: RoutingRequest): RoutingDecision;
  /** Answers without any agent; undefined goes on to {@link select}. Also asked when no agent is connected. */
  answer?(request: RoutingRequest): FixedAnswer | undefined;
  /** Says in words which rule applies to a request, for `giraffe explain route`. */
  explain?(request: RoutingRequest): string;
}
