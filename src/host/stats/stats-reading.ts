/** The figures that `giraffe stats` shows, whoever they come from, in one form. Pure. */
import type { EndpointFigures } from '../../telemetry/exchange-tally.ts';
import type { LatencyFigures, RecentFigures } from '../../telemetry/latency.ts';

/** Figures of one endpoint at one place. */
export interface TunnelReading extends EndpointFigures {
  readonly domain: string;
  /** Of the edge: sessions of agents that serve it. */
  readonly sessions?: number;
  readonly breaker?: 'closed' | 'open' | 'half-open';
  readonly rateLimit?: { readonly perMinute: number; readonly burst: number; readonly remaining: number };
  /** Of an agent: its name in the configuration file, its public URL, the service, and the process. */
  readonly name?: string;
  readonly url?: string;
  readonly target?: string;
  readonly pid?: number;
}

/** All together. */
export interface TotalReading {
  readonly requests: number;
  readonly responses: number;
  readonly errors: number;
  readonly inFlight: number;
  readonly reconnects: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** `none`: those that reached no agent; only the edge knows of them. */
  readonly transports: {
    readonly grpc: number;
    readonly tcp: number;
    readonly upgrades: number;
    readonly none?: number;
  };
  readonly codes: Readonly<Record<string, number>>;
  /** Left out where figures of several agents cannot be put together. */
  readonly latency?: LatencyFigures;
  readonly recent?: RecentFigures;
}

/** What an edge has at the moment. */
export interface EdgeReading {
  readonly sessions: number;
  readonly connections: number;
  readonly carriers: { readonly grpc: number; readonly tcp: number };
  readonly openBreakers: number;
  readonly memory: { readonly heap: number; readonly external: number; readonly resident: number };
}

/** One look. */
export interface StatsReading {
  readonly from: 'edge' | 'agents';
  /** URLs of those that were asked. */
  readonly sources: readonly string[];
  readonly takenAt: string;
  /** When counting began, of the oldest. */
  readonly startedAt: string;
  readonly totals: TotalReading;
  readonly tunnels: readonly TunnelReading[];
  readonly edge?: EdgeReading;
  /** Agents that run and did not answer, so that their figures are missing; left out when there is none. */
  readonly silent?: readonly string[];
}

/** Returns the figures of several tunnels together. */
export function totalsOf(tunnels: readonly TunnelReading[]): TotalReading {
  const sum = (figure: (tunnel: TunnelReading) => number) => tunnels.reduce((total, one) => total + figure(one), 0);
  const codes: Record<string, number> = {};
  for (const tunnel of tunnels) {
    for (const [code, count] of Object.entries(tunnel.codes)) codes[code] = (codes[code] ?? 0) + count;
  }
  const [only, ...others] = tunnels;
  return {
    requests: sum((one) => one.requests),
    responses: sum((one) => one.responses),
    errors: sum((one) => one.errors),
    inFlight: sum((one) => one.inFlight),
    reconnects: sum((one) => one.reconnects),
    requestBytes: sum((one) => one.requestBytes),
    responseBytes: sum((one) => one.responseBytes),
    transports: {
      grpc: sum((one) => one.transports.grpc),
      tcp: sum((one) => one.transports.tcp),
      upgrades: sum((one) => one.transports.upgrades),
    },
    codes,
    ...(only !== undefined && others.length === 0 ? { latency: only.latency, recent: only.recent } : {}),
  };
}
