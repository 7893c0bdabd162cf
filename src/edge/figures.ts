/**
 * Counts what happens at the edge: exchanges at the one place where each begins and ends, sessions, and refusals.
 *
 * Per endpoint it keeps what people ask for, over all endpoints what exporters get. Nothing that clients can make up
 * has a line of its own.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { Histogram, requestDurationBounds } from '../telemetry/histogram.ts';
import type { TunnelStats } from './edge-options.ts';
import type { Outcome } from './outcome.ts';
import type { BreakerState } from './policy/circuit-breaker.ts';

/** The figures of one endpoint while they are being counted. */
export interface EndpointTally {
  requests: number;
  responses: number;
  errors: number;
  inFlight: number;
  requestBytes: number;
  responseBytes: number;
  reconnects: number;
  grpc: number;
  tcp: number;
  upgrades: number;
  readonly codes: Map<ErrorCode, number>;
}

/** How exchanges reached an agent; `none` for those that reached nobody, and those that the edge answered. */
export type Way = 'grpc' | 'tcp' | 'none';

/** The figures of the exchanges that ended on one way. */
export interface WayTotals {
  responses: number;
  /** Body octets and what relays carried. */
  requestBytes: number;
  responseBytes: number;
  readonly codes: Map<ErrorCode, number>;
  /** In seconds; relays are left out, since they last as long as people like. */
  readonly durations: Histogram;
}

/** Figures over all endpoints. */
export interface EdgeTotals {
  /** Requests that began. Each is in flight, or has ended with a response or an error. */
  requests: number;
  inFlight: number;
  readonly ways: Readonly<Record<Way, WayTotals>>;
  /** Requests for another protocol that ended, whatever became of them. */
  readonly upgrades: { websocket: number; other: number };
  sessionsOpened: number;
  sessionsReopened: number;
  readonly agentRefusals: Map<ErrorCode, number>;
  readonly rejected: Map<ErrorCode, number>;
}

/** What a session is counted by. */
export interface CountedAgent {
  readonly agentId: string;
  readonly principal: { readonly id: string };
  readonly endpoints: readonly string[];
}

/** Agents that are remembered to tell a return from a first visit; the ones not seen for longest are forgotten. */
const maxAgents = 10_000;

/** The figures of one edge. Only endpoints that are served get a line, so clients cannot make it grow. */
export class EdgeFigures {
  readonly #isTunnel: (host: string) => boolean;
  readonly #byHost = new Map<string, EndpointTally>();
  readonly #agents = new Set<string>();
  readonly totals: EdgeTotals = noTotals();

  /** @param isTunnel Says whether a host is, or was, an endpoint. */
  constructor(isTunnel: (host: string) => boolean) {
    this.#isTunnel = isTunnel;
  }

  /** Counts the begin of an exchange; returns where its end is counted, too. */
  started(host: string): EndpointTally | undefined {
    this.totals.requests += 1;
    this.totals.inFlight += 1;
    const tally = this.#tallyOf(host);
    if (tally === undefined) return undefined;
    tally.requests += 1;
    tally.inFlight += 1;
    return tally;
  }

  /** Counts the end of an exchange. @param upgrade The protocol it asked for. */
  finished(tally: EndpointTally | undefined, outcome: Outcome, upgrade: string | undefined): void {
    const { totals } = this;
    totals.inFlight -= 1;
    countEnd(totals.ways[outcome.transport ?? 'none'], outcome);
    if (upgrade !== undefined) totals.upgrades[isWebSocket(upgrade) ? 'websocket' : 'other'] += 1;
    if (tally === undefined) return;
    tally.inFlight -= 1;
    tally.requestBytes += outcome.requestBytes;
    tally.responseBytes += outcome.responseBytes;
    if (outcome.transport !== undefined) tally[outcome.transport] += 1;
    if (upgrade !== undefined) tally.upgrades += 1;
    if (outcome.error === undefined) {
      tally.responses += 1;
      return;
    }
    tally.errors += 1;
    increment(tally.codes, outcome.error.code);
  }

  /** Counts a connection or a request that was refused before it was known which endpoint it is for. */
  rejected(code: ErrorCode): void {
    increment(this.totals.rejected, code);
  }

  /** Counts a session that serves from now on. One of an agent that had a session before is a reconnect. */
  sessionOpened({ principal, agentId, endpoints }: CountedAgent): void {
    const key = `${principal.id} ${agentId}`;
    const isReturn = this.#agents.delete(key);
    this.#agents.add(key);
    const [oldest] = this.#agents;
    if (oldest !== undefined && this.#agents.size > maxAgents) this.#agents.delete(oldest);
    this.totals.sessionsOpened += 1;
    if (!isReturn) return;
    this.totals.sessionsReopened += 1;
    for (const host of endpoints) {
      const tally = this.#tallyOf(host);
      if (tally !== undefined) tally.reconnects += 1;
    }
  }

  /** Counts an agent whose HELLO was refused. */
  agentRefused(code: ErrorCode): void {
    increment(this.totals.agentRefusals, code);
  }

  /** What was refused before it was known which endpoint it is for, by code. */
  get rejections(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.totals.rejected);
  }

  /** Returns the figures of every endpoint that is served or had a request. */
  stats(served: Iterable<string>, now: EndpointNow): readonly TunnelStats[] {
    const hosts = new Set([...this.#byHost.keys(), ...served]);
    return [...hosts].map((domain) => {
      const { grpc, tcp, upgrades, codes, ...counters } = this.#byHost.get(domain) ?? noTally();
      return {
        domain,
        sessions: now.sessions(domain),
        ...counters,
        transports: { grpc, tcp, upgrades },
        codes: Object.fromEntries(codes),
        breaker: now.breaker(domain),
      };
    });
  }

  #tallyOf(host: string): EndpointTally | undefined {
    const tally = this.#byHost.get(host);
    if (tally !== undefined || !this.#isTunnel(host)) return tally;
    const created = noTally();
    this.#byHost.set(host, created);
    return created;
  }
}

/** What is not counted but looked up. */
export interface EndpointNow {
  sessions(host: string): number;
  breaker(host: string): BreakerState | undefined;
}

function countEnd(way: WayTotals, { error, requestBytes, responseBytes, durationMs, isRelay }: Outcome): void {
  way.requestBytes += requestBytes;
  way.responseBytes += responseBytes;
  if (!isRelay) way.durations.observe(durationMs / 1000);
  if (error === undefined) way.responses += 1;
  else increment(way.codes, error.code);
}

function isWebSocket(upgrade: string): boolean {
  return upgrade.toLowerCase() === 'websocket';
}

function increment(counts: Map<ErrorCode, number>, code: ErrorCode): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}

function noTally(): EndpointTally {
  return {
    requests: 0,
    responses: 0,
    errors: 0,
    inFlight: 0,
    requestBytes: 0,
    responseBytes: 0,
    reconnects: 0,
    grpc: 0,
    tcp: 0,
    upgrades: 0,
    codes: new Map(),
  };
}

function noTotals(): EdgeTotals {
  const way = (): WayTotals => ({
    responses: 0,
    requestBytes: 0,
    responseBytes: 0,
    codes: new Map(),
    durations: new Histogram(requestDurationBounds),
  });
  return {
    requests: 0,
    inFlight: 0,
    ways: { grpc: way(), tcp: way(), none: way() },
    upgrades: { websocket: 0, other: 0 },
    sessionsOpened: 0,
    sessionsReopened: 0,
    agentRefusals: new Map(),
    rejected: new Map(),
  };
}
