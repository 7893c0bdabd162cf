/**
 * Counts what happens, per endpoint, at the one place where an exchange ends.
 */
import type { TunnelStats } from './edge-options.ts';
import type { Outcome } from './exchange.ts';

interface Counters {
  requests: number;
  responses: number;
  errors: number;
  inFlight: number;
  grpc: number;
  tcp: number;
  upgrades: number;
}

/** The figures of one edge. Only endpoints that are served get a line, so clients cannot make it grow. */
export class EdgeFigures {
  readonly #isTunnel: (host: string) => boolean;
  readonly #byHost = new Map<string, Counters>();

  /** @param isTunnel Says whether a host is, or was, an endpoint. */
  constructor(isTunnel: (host: string) => boolean) {
    this.#isTunnel = isTunnel;
  }

  started(host: string): void {
    const counters = this.#countersFor(host);
    if (counters === undefined) return;
    counters.requests += 1;
    counters.inFlight += 1;
  }

  finished(host: string, outcome: Outcome, isUpgrade: boolean): void {
    const counters = this.#byHost.get(host);
    if (counters === undefined) return;
    counters.inFlight -= 1;
    if (outcome.error === undefined) counters.responses += 1;
    else counters.errors += 1;
    if (outcome.transport !== undefined) counters[outcome.transport] += 1;
    if (isUpgrade) counters.upgrades += 1;
  }

  /** Returns the figures of every endpoint that is served or had a request. */
  stats(served: Iterable<string>, sessionsOf: (host: string) => number): readonly TunnelStats[] {
    const hosts = new Set([...this.#byHost.keys(), ...served]);
    return [...hosts].map((domain) => {
      const { grpc, tcp, upgrades, ...counters } = this.#byHost.get(domain) ?? noCounters();
      return { domain, sessions: sessionsOf(domain), ...counters, transports: { grpc, tcp, upgrades } };
    });
  }

  #countersFor(host: string): Counters | undefined {
    const counters = this.#byHost.get(host);
    if (counters !== undefined || !this.#isTunnel(host)) return counters;
    const created = noCounters();
    this.#byHost.set(host, created);
    return created;
  }
}

function noCounters(): Counters {
  return { requests: 0, responses: 0, errors: 0, inFlight: 0, grpc: 0, tcp: 0, upgrades: 0 };
}
