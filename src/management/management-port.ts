/** What the management API may know of an edge, and ask of it: a few answers and orders, and never the edge itself. */
import type { MetricsSnapshot } from '../extension/metrics-exporter.ts';
import type { EndpointFigures } from '../telemetry/exchange-tally.ts';
import type { PullExporter } from './metrics-routes.ts';

/** Figures of one endpoint, counted since the edge started. */
export interface TunnelFigures extends EndpointFigures {
  readonly domain: string;
  readonly sessions: number;
  readonly breaker: 'closed' | 'open' | 'half-open' | undefined;
  readonly rateLimit: { readonly perMinute: number; readonly burst: number; readonly remaining: number } | undefined;
}

/** Figures of the edge as a whole. */
export interface EdgeFigures {
  readonly startedAt: Date;
  readonly takenAt: Date;
  readonly totals: Omit<EndpointFigures, 'transports'> & {
    readonly transports: EndpointFigures['transports'] & { readonly none: number };
    readonly webSockets: number;
    readonly sessionsOpened: number;
    readonly sessionsClosed: Readonly<Record<string, number>>;
    readonly agentRefusals: Readonly<Record<string, number>>;
    readonly rejections: Readonly<Record<string, number>>;
  };
  readonly now: {
    readonly connections: number;
    readonly endpoints: number;
    readonly sessions: number;
    readonly carriers: ByTransport;
    readonly streams: ByTransport;
    readonly windowBytes: ByTransport;
    /** Origins that their agents say do not answer. */
    readonly originsDown: number;
    readonly openBreakers: number;
    readonly memory: { readonly heap: number; readonly external: number; readonly resident: number };
  };
}

/** A number for each way between edge and agents. */
interface ByTransport {
  readonly grpc: number;
  readonly tcp: number;
}

/** One session of an agent. */
export interface AgentSessionView {
  readonly sessionId: string;
  readonly agentId: string;
  readonly domains: readonly string[];
  readonly principal: string;
  readonly openedAt: Date;
  readonly labels: readonly string[];
  readonly weight: number;
  readonly canWithdraw: boolean;
  readonly mode: 'hybrid' | 'grpc' | 'tcp' | undefined;
  readonly inFlight: number;
  readonly peers: readonly string[];
}

/** A token of agents, without its secret. */
export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly endpoints: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

/** What a token shall be. */
export interface WantedToken {
  readonly name: string;
  readonly endpoints: readonly string[];
  readonly expiresAt: Date | undefined;
}

/** Something that happened; further fields are the type's own. */
export interface LiveEvent {
  readonly type: string;
  /** The endpoint it is about, if it is about one; `domains` of a session. */
  readonly domain?: string;
  readonly domains?: readonly string[];
}

/** The edge as the API sees it. */
export interface ManagementPort {
  /** Time by which tokens expire, in milliseconds since 1970. */
  now(): number;
  /** Whether the edge takes new requests: all listeners accept, and it does not drain. */
  isReady(): boolean;
  /** Figures of the whole, of the same moment as {@link stats} when both are asked in one turn. */
  overview(): EdgeFigures;
  /** Figures per endpoint. */
  stats(): readonly TunnelFigures[];
  /** Sessions of agents. */
  sessions(): readonly AgentSessionView[];
  /** Takes an endpoint from all agents, which do not ask for it again by themselves. Returns how many there were. */
  disconnect(domain: string): number;
  /** All figures as metrics exporters get them. */
  snapshot(): MetricsSnapshot;
  /** Metrics exporters that are asked for their text, in the order of the configuration. */
  pullExporters(): readonly PullExporter[];
  listTokens(): readonly TokenView[];
  /**
   * Makes a token; its secret is never shown again.
   * @throws {GiraffeError} GIR_ERR_USAGE for a name, pattern or date out of bounds; GIR_ERR_STATE.
   */
  createToken(token: WantedToken): Promise<{ readonly id: string; readonly secret: string }>;
  /** Ends a token and the sessions that use it; false when there is none. Throws GIR_ERR_STATE. */
  revokeToken(id: string): Promise<boolean>;
  /** Begins to drain, as a signal does; returns how long what is in flight has, in milliseconds. */
  drain(): number;
  /** Calls `listener` with what happens from now on, until the returned function is called. */
  subscribe(listener: (event: LiveEvent) => void): () => void;
  /** Takes note of an error that should not have happened. */
  noteFault(error: Error): void;
  /** Tells whether a token is the admin token, in constant time. */
  authenticateAdmin(token: string): boolean;
}
