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
  readonly transport: Transport;
  /** Exchanges and relays in flight at that agent, over both transports. */
  readonly inFlight: number;
  /** False when the agent is late with an answer to a ping. */
  readonly isHealthy: boolean;
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

/** Chooses among candidates. On the hot path: synchronous, no I/O, must not throw and must not change its input. */
export interface RoutingStrategy {
  /** Returns one of `candidates`; undefined refuses the request with 503. */
  select(candidates: NonEmpty<Candidate>, request: RoutingRequest): Candidate | undefined;
}
