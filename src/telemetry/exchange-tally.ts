/**
 * The figures of one endpoint, the same at the edge and at the agent: counted where an exchange begins and where it ends,
 * so that requests = responses + errors + in flight at every moment.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { Latency, type LatencyReading, readLatency } from './latency.ts';

/** What became of an exchange. */
export interface ExchangeEnd {
  /** Why it failed; undefined when it went well. */
  readonly error: { readonly code: ErrorCode } | undefined;
  /** The way between edge and agent; undefined when it took none. */
  readonly transport: 'grpc' | 'tcp' | undefined;
  readonly durationMs: number;
  /** Octets of bodies and relays, from and to the client. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Whether it became a relay, which lasts as long as people like and is in no percentile. */
  readonly isRelay: boolean;
}

/** The figures of an endpoint at one moment. */
export interface EndpointFigures extends LatencyReading {
  readonly requests: number;
  readonly responses: number;
  readonly errors: number;
  /** Exchanges and relays that have not ended. */
  readonly inFlight: number;
  /** Octets of bodies and relays from and to clients, of exchanges that have ended. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Sessions of agents that had one before. */
  readonly reconnects: number;
  /** Exchanges that ended, by the way they took; and those that asked for another protocol. */
  readonly transports: { readonly grpc: number; readonly tcp: number; readonly upgrades: number };
  /** Errors by code. */
  readonly codes: Readonly<Record<string, number>>;
}

/** Counts for one endpoint. */
export class ExchangeTally {
  requests = 0;
  responses = 0;
  errors = 0;
  inFlight = 0;
  requestBytes = 0;
  responseBytes = 0;
  reconnects = 0;
  readonly #transports = { grpc: 0, tcp: 0, upgrades: 0 };
  readonly #codes = new Map<ErrorCode, number>();
  #latency: Latency | undefined;

  /** Durations; undefined before the first. */
  get latency(): Latency | undefined {
    return this.#latency;
  }

  /** Counts the begin of an exchange. */
  began(): void {
    this.requests += 1;
    this.inFlight += 1;
  }

  /**
   * Counts the end of an exchange.
   * @param isUpgrade Whether it asked for another protocol.
   * @param nowMs A clock that does not run backwards, in milliseconds.
   */
  ended(end: ExchangeEnd, isUpgrade: boolean, nowMs: number): void {
    this.inFlight -= 1;
    this.requestBytes += end.requestBytes;
    this.responseBytes += end.responseBytes;
    if (end.transport !== undefined) this.#transports[end.transport] += 1;
    if (isUpgrade) this.#transports.upgrades += 1;
    if (!end.isRelay) {
      this.#latency ??= new Latency(nowMs);
      this.#latency.observe(end.durationMs, nowMs);
    }
    if (end.error === undefined) this.responses += 1;
    else {
      this.errors += 1;
      countCode(this.#codes, end.error.code);
    }
  }

  /** Returns the figures of this moment. */
  read(nowMs: number): EndpointFigures {
    const { requests, responses, errors, inFlight, requestBytes, responseBytes, reconnects } = this;
    return {
      requests,
      responses,
      errors,
      inFlight,
      requestBytes,
      responseBytes,
      reconnects,
      transports: { ...this.#transports },
      codes: Object.fromEntries(this.#codes),
      ...readLatency(this.#latency, nowMs),
    };
  }
}

/** Counts one more of a code. */
export function countCode<Code extends string>(counts: Map<Code, number>, code: Code): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}
