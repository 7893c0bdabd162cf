/**
 * Counts what happens at the edge: exchanges at the one place where each begins and ends, sessions, and refusals.
 *
 * Per endpoint it keeps what people ask for, over all endpoints what exporters get. Nothing that clients can make up
 * has a line of its own.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { countCode, type EndpointFigures, ExchangeTally } from '../telemetry/exchange-tally.ts';
import { Histogram, requestDurationBounds } from '../telemetry/histogram.ts';
import { Latency } from '../telemetry/latency.ts';
import type { Outcome } from './outcome.ts';

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
  readonly sessionsClosed: Map<ErrorCode | typeof leftOfItself, number>;
  readonly agentRefusals: Map<ErrorCode, number>;
  readonly rejected: Map<ErrorCode, number>;
  /** Connections that were closed because of their client's silence. */
  readonly givenUp: Map<ErrorCode, number>;
}

/** The figures of all endpoints together, those that are no endpoint's included. */
export interface OverallFigures extends Omit<EndpointFigures, 'transports'> {
  /** As in {@link EndpointFigures}; `none` for those that reached no agent, or that the edge answered. */
  readonly transports: {
    readonly grpc: number;
    readonly tcp: number;
    readonly none: number;
    readonly upgrades: number;
  };
  /** Upgrades to WebSocket among them. */
  readonly webSockets: number;
  readonly sessionsOpened: number;
  /** Sessions that ended, by code; `left` for those whose agent left. */
  readonly sessionsClosed: Readonly<Record<string, number>>;
  /** Agents that were refused, by code. */
  readonly agentRefusals: Readonly<Record<string, number>>;
  /** Connections and requests refused before it was known which endpoint they are for, by code. */
  readonly rejections: Readonly<Record<string, number>>;
}

/** What a session is counted by. */
export interface CountedAgent {
  readonly agentId: string;
  readonly principal: { readonly id: string };
  readonly endpoints: readonly string[];
}

/** Stands for a code where a session ended because its agent left. */
const leftOfItself = 'left';
/** Agents that are remembered to tell a return from a first visit; the ones not seen for longest are forgotten. */
const maxAgents = 10_000;
/** Endpoints with figures of their own. One more takes the place of the oldest that has nothing in flight. */
const maxEndpoints = 5000;

/** The figures of one edge. Only endpoints that are served get a line, so clients cannot make it grow. */
export class EdgeFigures {
  readonly #isTunnel: (host: string) => boolean;
  readonly #nowMs: () => number;
  readonly #byHost = new Map<string, ExchangeTally>();
  readonly #agents = new Set<string>();
  readonly totals: EdgeTotals = noTotals();

  /**
   * @param isTunnel Says whether a host is, or was, an endpoint.
   * @param nowMs A clock that does not run backwards, in milliseconds.
   */
  constructor(isTunnel: (host: string) => boolean, nowMs: () => number) {
    this.#isTunnel = isTunnel;
    this.#nowMs = nowMs;
  }

  /** Counts the begin of an exchange; returns where its end is counted, too. */
  started(host: string): ExchangeTally | undefined {
    this.totals.requests += 1;
    this.totals.inFlight += 1;
    const tally = this.#tallyOf(host);
    tally?.began();
    return tally;
  }

  /** Counts the end of an exchange. @param upgrade The protocol it asked for. */
  finished(tally: ExchangeTally | undefined, outcome: Outcome, upgrade: string | undefined): void {
    const { totals } = this;
    totals.inFlight -= 1;
    countEnd(totals.ways[outcome.transport ?? 'none'], outcome);
    if (upgrade !== undefined) totals.upgrades[isWebSocket(upgrade) ? 'websocket' : 'other'] += 1;
    tally?.ended(outcome, upgrade !== undefined, this.#nowMs());
  }

  /** Counts a connection or a request that was refused before it was known which endpoint it is for. */
  rejected(code: ErrorCode): void {
    countCode(this.totals.rejected, code);
  }

  /** Counts a connection that the edge closed because of its client's silence. */
  gaveUp(code: ErrorCode): void {
    countCode(this.totals.givenUp, code);
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

  /** Counts a session that has ended. @param code Why; undefined when its agent left. */
  sessionClosed(code: ErrorCode | undefined): void {
    countCode(this.totals.sessionsClosed, code ?? leftOfItself);
  }

  /** Counts an agent whose HELLO was refused. */
  agentRefused(code: ErrorCode): void {
    countCode(this.totals.agentRefusals, code);
  }

  /** What was refused before it was known which endpoint it is for, by code. */
  get rejections(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.totals.rejected);
  }

  /** Returns the figures of every endpoint that is served or had a request, by host; those that are served come first. */
  endpoints(served: Iterable<string>): Map<string, EndpointFigures> {
    const nowMs = this.#nowMs();
    const hosts = new Set([...served, ...this.#byHost.keys()]);
    return new Map([...hosts].map((host) => [host, (this.#byHost.get(host) ?? new ExchangeTally()).read(nowMs)]));
  }

  /** Returns the figures of all endpoints together. */
  overall(): OverallFigures {
    const { requests, inFlight, ways, upgrades, sessionsOpened, sessionsReopened } = this.totals;
    const all = Object.values(ways);
    const codes = new Map<string, number>();
    for (const way of all) for (const [code, count] of way.codes) codes.set(code, (codes.get(code) ?? 0) + count);
    const latencies = [...this.#byHost.values()].flatMap(({ latency }) => latency ?? []);
    return {
      requests,
      responses: sum(all.map(({ responses }) => responses)),
      errors: sum(codes.values()),
      inFlight,
      requestBytes: sum(all.map(({ requestBytes }) => requestBytes)),
      responseBytes: sum(all.map(({ responseBytes }) => responseBytes)),
      reconnects: sessionsReopened,
      transports: {
        grpc: endedOn(ways.grpc),
        tcp: endedOn(ways.tcp),
        none: endedOn(ways.none),
        upgrades: upgrades.websocket + upgrades.other,
      },
      webSockets: upgrades.websocket,
      codes: Object.fromEntries(codes),
      ...Latency.readAll(latencies, this.#nowMs()),
      sessionsOpened,
      sessionsClosed: Object.fromEntries(this.totals.sessionsClosed),
      agentRefusals: Object.fromEntries(this.totals.agentRefusals),
      rejections: this.rejections,
    };
  }

  /** Drops the figures of one endpoint; those over all endpoints stay. */
  forget(host: string): void {
    this.#byHost.delete(host);
  }

  #tallyOf(host: string): ExchangeTally | undefined {
    const tally = this.#byHost.get(host);
    if (tally !== undefined || !this.#isTunnel(host)) return tally;
    if (this.#byHost.size >= maxEndpoints) this.#forgetOldest();
    const created = new ExchangeTally();
    this.#byHost.set(host, created);
    return created;
  }

  #forgetOldest(): void {
    for (const [host, { inFlight }] of this.#byHost) {
      if (inFlight > 0) continue;
      this.#byHost.delete(host);
      return;
    }
  }
}

function countEnd(way: WayTotals, { error, requestBytes, responseBytes, durationMs, isRelay }: Outcome): void {
  way.requestBytes += requestBytes;
  way.responseBytes += responseBytes;
  if (!isRelay) way.durations.observe(durationMs / 1000);
  if (error === undefined) way.responses += 1;
  else countCode(way.codes, error.code);
}

function endedOn({ responses, codes }: WayTotals): number {
  return responses + sum(codes.values());
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function isWebSocket(upgrade: string): boolean {
  return upgrade.toLowerCase() === 'websocket';
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
    sessionsClosed: new Map(),
    agentRefusals: new Map(),
    rejected: new Map(),
    givenUp: new Map(),
  };
}
