/**
 * What an edge is started with, and what it tells while it runs.
 */
import type { AuthProvider } from '../extension/auth-provider.ts';
import type { ExtensionGuard } from '../extension/guard.ts';
import type { MetricsSnapshot } from '../extension/metrics-exporter.ts';
import type { RoutingStrategy } from '../extension/routing-strategy.ts';
import type { EndpointFigures } from '../telemetry/exchange-tally.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EdgeListener, SessionFacts, SessionMode } from './edge-events.ts';
import type { EdgeNow } from './edge-now.ts';
import type { OverallFigures } from './figures.ts';
import type { BreakerState } from './policy/circuit-breaker.ts';
import type { EdgePolicy } from './policy/policy-gate.ts';
import type { RateState } from './policy/rate-gate.ts';
import type { NamedCertificateSource } from './served-certificates.ts';

/** A provider of authentication and its name in the configuration. */
export interface NamedAuthProvider {
  readonly name: string;
  readonly provider: AuthProvider;
}

/** An agent's identity after its credentials were accepted. */
export interface Principal {
  /** The provider's name and its name of the principal; sessions of one principal can replace each other. */
  readonly id: string;
  /** Patterns of endpoints it may serve. */
  readonly endpoints: readonly string[];
  readonly expiresAt: Date | undefined;
  /** Names of the provider that accepted it, and of the principal there, to ask again. */
  readonly source: { readonly provider: string; readonly principal: string };
}

/** Where to listen. Port 0 picks a free one. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** Settings of an edge. */
export interface EdgeOptions {
  readonly proxy: ListenAddress;
  readonly grpc: ListenAddress;
  readonly tunnel: ListenAddress;
  /** Where the gRPC tunnel is served without TLS, for a web server in front that ends it. Default nowhere. */
  readonly grpcPlaintext?: ListenAddress | undefined;
  /** Domain under which agents without a name of their own get one. */
  readonly baseDomain: string;
  /** PEM: the server certificate with its chain, and its key. */
  readonly certificate: { readonly certPem: string; readonly keyPem: string };
  /** Makes the proxy port speak HTTPS, HTTP/2 included. Default plain HTTP/1.1. */
  readonly proxyCertificate?: EdgeOptions['certificate'] | undefined;
  /** Where the proxy port gets certificates for the names of clients; needs `proxyCertificate`, for all other names. */
  readonly certificateSource?: NamedCertificateSource | undefined;
  /** A port that sends plain HTTP to the proxy port's HTTPS. Default none. */
  readonly redirect?: ListenAddress | undefined;
  /** How clients write the URLs of endpoints, where that is not the proxy port's own scheme and number. */
  readonly publicUrls?:
    | { readonly scheme: 'http' | 'https' | undefined; readonly port: number | undefined }
    | undefined;
  readonly strategy: RoutingStrategy;
  /** Name of the strategy, for log and figures. Default `custom`. */
  readonly strategyName?: string;
  /** Through which extensions are called, when not only this edge calls some. Default one of its own. */
  readonly guard?: ExtensionGuard;
  readonly logger: Logger;
  /** Who decides about agents and visitors, in the order in which they are asked. Nobody gets in without one. */
  readonly authProviders: readonly NamedAuthProvider[];
  /** Time by which credentials expire, in milliseconds since 1970. Default a `CredentialClock`. */
  readonly now?: () => number;
  /** Endpoints that were served before, so that they are answered with 503 and not 404 while no agent is there. */
  readonly knownEndpoints: { has(host: string): boolean; add(host: string): void };
  readonly limits: EdgeLimits;
  /** Addresses and networks (CIDR) of proxies in front whose forwarding fields are believed. */
  readonly trustedProxies: readonly string[];
  /** What protects the edge and its endpoints. Default nothing. */
  readonly policy?: EdgePolicy;
}

/** What of an edge's options can change while it runs. */
export type EdgeChanges = Partial<Pick<EdgeOptions, 'limits' | 'trustedProxies' | 'strategy' | 'strategyName'>>;

/** Bounds, each with its default in {@link defaultEdgeLimits}. Times in milliseconds, sizes in octets. */
export interface EdgeLimits {
  /** Streams in flight per session; one more waits up to the request time-out, then 503. */
  readonly maxStreams: number;
  /** Largest gRPC message accepted. */
  readonly maxMessageBytes: number;
  /** Ping interval; a peer silent for two is dead. */
  readonly keepAliveMs: number;
  /** Time to the response head after the last progress of the request. */
  readonly requestTimeoutMs: number;
  /** How long a request waits for an agent that is away. */
  readonly reconnectGraceMs: number;
  /** Client connections at once. */
  readonly maxConnections: number;
  /** Size and lines of a request's header section. */
  readonly maxHeadBytes: number;
  readonly maxFieldLines: number;
  /** Time for a request head to arrive, from its first octet; also for the first one of a connection. */
  readonly headTimeoutMs: number;
  /** Time without progress of a request body, or of a client that does not read. */
  readonly bodyIdleTimeoutMs: number;
  /** Time an idle connection is kept for another request. */
  readonly keepAliveTimeoutMs: number;
  /** Time for an agent's handshake, and for a stranger's connection to the gRPC port. */
  readonly handshakeTimeoutMs: number;
  /** Connections to the tunnel ports that are not authenticated yet. */
  readonly maxStrangers: number;
  /** Time for an authentication provider to answer; later it is a refusal. */
  readonly authTimeoutMs: number;
}

/** Defaults of {@link EdgeLimits}. */
export const defaultEdgeLimits: EdgeLimits = {
  maxStreams: 1000,
  maxMessageBytes: 16 * 1024 * 1024,
  keepAliveMs: 30_000,
  requestTimeoutMs: 30_000,
  reconnectGraceMs: 2000,
  maxConnections: 20_000,
  maxHeadBytes: 64 * 1024,
  maxFieldLines: 256,
  headTimeoutMs: 15_000,
  bodyIdleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  handshakeTimeoutMs: 10_000,
  maxStrangers: 1000,
  authTimeoutMs: 5000,
};

/** The ports an edge really listens on. */
export interface EdgePorts {
  readonly proxy: number;
  readonly grpc: number;
  readonly tunnel: number;
  /** The port that sends plain HTTP to HTTPS; absent without one. */
  readonly redirect?: number | undefined;
  /** The gRPC tunnel without TLS; absent without one. */
  readonly grpcPlaintext?: number | undefined;
}

/** Figures of one tunnel. */
export interface TunnelStats extends EndpointFigures {
  readonly domain: string;
  /** Sessions of agents that serve it now. */
  readonly sessions: number;
  /** Where the circuit breaker stands; undefined without one. */
  readonly breaker: BreakerState | undefined;
  /** Where the rate limit of the endpoint stands; undefined without one, and before the first request. */
  readonly rateLimit: RateState | undefined;
}

/** One session as the operator sees it. */
export interface SessionView extends SessionFacts {
  /** Who opened it: the auth provider's name and its name of the agent. */
  readonly principal: string;
  readonly openedAt: Date;
  readonly labels: readonly string[];
  readonly weight: number;
  /** Whether it can give up one endpoint of several; another one ends as a whole. */
  readonly canWithdraw: boolean;
  /** Which carriers are up; undefined when none is, just before its end. */
  readonly mode: SessionMode | undefined;
  /** Exchanges and relays. */
  readonly inFlight: number;
  /** Addresses of the agent, one for each carrier. */
  readonly peers: readonly string[];
}

/** Figures of an edge as a whole. */
export interface EdgeOverview {
  /** When counting began. */
  readonly startedAt: Date;
  readonly takenAt: Date;
  readonly totals: OverallFigures;
  readonly now: EdgeNow;
}

/** A running edge. */
export interface Edge extends AsyncDisposable {
  readonly ports: EdgePorts;
  /** Uses other certificates for new connections; open ones stay. `proxy` is for a proxy port that has one. */
  reload(certificate: EdgeOptions['certificate'], proxy?: EdgeOptions['proxyCertificate']): void;
  /** Uses other authentication providers from now on. Sessions that none of them allows end. */
  changeAuthProviders(providers: readonly NamedAuthProvider[]): void;
  /**
   * Puts other bounds, trusted proxies or another strategy in force. What is in flight goes on. Of the bounds,
   * maxMessageBytes, handshakeTimeoutMs, maxStrangers and authTimeoutMs stay as they were, and keepAliveMs holds for
   * carriers that come after it.
   *
   * @throws {GiraffeError} GIR_ERR_CONFIG for a trusted proxy that is no address or network; nothing is changed then.
   */
  reconfigure(changes: EdgeChanges): void;
  /** Sessions of agents. */
  sessions(): readonly SessionView[];
  /** Calls `listener` with what happens from now on, until the returned function is called. */
  subscribe(listener: EdgeListener): () => void;
  /**
   * Takes an endpoint from all agents that serve it, and tells them not to ask for it again by themselves. A session that
   * has no other endpoint ends, and one whose agent cannot give up one of several ends as a whole. It holds for agents that
   * are away or just opening a session, too. Returns how many sessions there were.
   */
  disconnect(domain: string): number;
  /** Figures of the edge as a whole, of the same moment as {@link stats} when both are asked in one turn. */
  overview(): EdgeOverview;
  /** Figures per endpoint. */
  stats(): readonly TunnelStats[];
  /** All figures of this moment, for metrics exporters. */
  snapshot(): MetricsSnapshot;
  /** Connections and requests refused before it was known which endpoint they are for, by code. */
  rejections(): Readonly<Record<string, number>>;
  /** Puts other policies in force. What is in flight goes on, and quotas that are spent stay spent. */
  changePolicy(policy: EdgePolicy): void;
  /** Stops accepting, tells agents, finishes exchanges up to the deadline (milliseconds), then closes. */
  drain(deadlineMs: number): Promise<void>;
}
