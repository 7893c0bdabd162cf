/**
 * What an edge is started with, and what it tells while it runs.
 */
import type { RoutingStrategy } from '../extension/routing-strategy.ts';
import type { Logger } from '../telemetry/logger.ts';

/** An agent's identity after its token was accepted. */
export interface Principal {
  /** Id of the token; sessions of one principal can replace each other. */
  readonly id: string;
  /** Patterns of endpoints it may serve. */
  readonly endpoints: readonly string[];
  readonly expiresAt: Date | undefined;
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
  /** Domain under which agents without a name of their own get one. */
  readonly baseDomain: string;
  /** PEM: the server certificate with its chain, and its key. */
  readonly certificate: { readonly certPem: string; readonly keyPem: string };
  readonly strategy: RoutingStrategy;
  readonly logger: Logger;
  /** Returns who a token belongs to, or undefined to refuse. */
  authenticate(token: string): Promise<Principal | undefined>;
  /** Endpoints that were served before, so that they are answered with 503 and not 404 while no agent is there. */
  readonly knownEndpoints: { has(host: string): boolean; add(host: string): void };
  readonly limits: EdgeLimits;
  /** Addresses and networks (CIDR) of proxies in front whose forwarding fields are believed. */
  readonly trustedProxies: readonly string[];
}

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
};

/** The ports an edge really listens on. */
export interface EdgePorts {
  readonly proxy: number;
  readonly grpc: number;
  readonly tunnel: number;
}

/** Figures of one tunnel. */
export interface TunnelStats {
  readonly domain: string;
  readonly sessions: number;
  readonly requests: number;
  readonly responses: number;
  readonly errors: number;
  readonly inFlight: number;
  readonly transports: { readonly grpc: number; readonly tcp: number; readonly upgrades: number };
}

/** A running edge. */
export interface Edge extends AsyncDisposable {
  readonly ports: EdgePorts;
  /** Uses another certificate for new connections; open ones stay. */
  reload(certificate: EdgeOptions['certificate']): void;
  /** Figures per endpoint. */
  stats(): readonly TunnelStats[];
  /** Stops accepting, tells agents, finishes exchanges up to the deadline (milliseconds), then closes. */
  drain(deadlineMs: number): Promise<void>;
}
