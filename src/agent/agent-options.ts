/**
 * What an agent is started with, and what it tells while it runs.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { Target } from '../http/target.ts';
import type { Inspector } from '../inspector/inspector.ts';
import type { TunnelPolicy } from '../protocol/tunnel-policy.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AgentFigures } from './figures.ts';

/** One endpoint and the service behind it. */
export interface AgentTunnel {
  /** What its owner calls it, for events. Default nothing. */
  readonly name?: string | undefined;
  /** Host of the endpoint; undefined lets the edge choose a name, which is kept over reconnects. */
  readonly domain: string | undefined;
  /** Name that the edge chose for this endpoint before, and that is asked for first. */
  readonly formerName?: string | undefined;
  readonly target: Target;
  /** Other services of the endpoint, by the name with which a routing strategy of the edge can ask for one. */
  readonly targets?: Readonly<Record<string, Target>> | undefined;
  /** How https origins of the endpoint are verified. Default {@link systemOriginTls}. */
  readonly originTls?: OriginTls | undefined;
  /** How the origin's Host field is made. Default that of the agent. */
  readonly hostHeader?: HostHeader | undefined;
  /** What the edge shall protect the endpoint with. Default nothing but what its operator says. */
  readonly policy?: TunnelPolicy | undefined;
  /** How the agent looks after the origin. Default: exchanges tell when it cannot be reached. */
  readonly health?: HealthCheck | undefined;
}

/** How the certificates of https origins are verified. */
export interface OriginTls {
  readonly trust: /** By the system's roots. */
    | { readonly kind: 'system' }
    /** By these certificates and no others, PEM. */
    | { readonly kind: 'ca'; readonly pem: string }
    /** Not at all. */
    | { readonly kind: 'insecure' };
  /** Name that the certificate must be for, and that SNI asks for. Default the host of the target. */
  readonly serverName?: string | undefined;
}

/** By the system's roots, for the name that is dialed. */
export const systemOriginTls: OriginTls = { trust: { kind: 'system' } };

/** How an origin is looked at. Times in milliseconds. */
export interface HealthCheck {
  /** Path of a GET that must be answered with a status below 400; undefined only connects. */
  readonly path: string | undefined;
  /** Time between looks. */
  readonly intervalMs: number;
  /** Time for one look. */
  readonly timeoutMs: number;
  /** Failed looks in a row after which the origin is down. */
  readonly unhealthyAfter: number;
  /** Good looks in a row after which it is up again. */
  readonly healthyAfter: number;
}

/** Which carriers the agent may use. */
export type TransportChoice = 'auto' | 'grpc' | 'tcp';

/**
 * How the origin's Host field is made: the client's; the target's own, with what belongs to it translated both ways; the
 * one of both that the origin takes; or a fixed one.
 */
export type HostHeader = 'preserve' | 'rewrite' | 'auto' | { readonly value: string };

/** How the agent trusts the edge's certificate. */
export type EdgeTrust =
  /** The system's roots. */
  | { readonly kind: 'system' }
  /** These CA certificates, PEM. */
  | { readonly kind: 'ca'; readonly pem: string }
  /** The CA in the presented chain with this SHA-256, `sha256:` and 64 hex digits. */
  | { readonly kind: 'pin'; readonly pin: string }
  /** No verification at all. */
  | { readonly kind: 'insecure' };

/** A certificate with its chain, and its key: both PEM. */
export interface ClientCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Settings of an agent. */
export interface AgentOptions {
  readonly tunnels: readonly [AgentTunnel, ...AgentTunnel[]];
  /** The edge. Without a `tunnelPort` the agent takes what the edge tells, or 4443 where it cannot be asked. */
  readonly server: {
    readonly host: string;
    readonly grpcPort: number;
    readonly tunnelPort?: number | undefined;
  };
  /** Empty when the agent has none and shows a certificate instead. */
  readonly token: string;
  readonly trust: EdgeTrust;
  /** Certificate that the agent shows to an edge that asks for one. Default none. */
  readonly clientCertificate?: ClientCertificate | undefined;
  readonly transport: TransportChoice;
  /** What rules of the edge can choose this agent by: up to 20, each 1 to 63 of `a-z 0-9 . _ = -`. Default none. */
  readonly labels?: readonly string[];
  /** Share of the traffic beside other agents of the endpoint, 1 to 1000. Default 1. */
  readonly weight?: number;
  readonly hostHeader: HostHeader;
  /** Whether the edge forgets a name that it chooses, and its figures, when the agent has left. Default false. */
  readonly trial?: boolean;
  /** What it has in common with the agents that it takes over from and that take over from it. Default nothing. */
  readonly run?: string;
  readonly logger: Logger;
  /** Where the agent counts. Default figures of its own, which nobody sees. */
  readonly figures?: AgentFigures;
  /** Where exchanges are recorded, and who may ask for replays. Default nobody. */
  readonly inspector?: Inspector | undefined;
  /** First and longest delay of the full-jitter backoff, in milliseconds. Default 1,000 and 30,000. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
  /** Time for one attempt to connect and shake hands, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Time to connect to the origin, in milliseconds. Default 10,000. */
  readonly originConnectTimeoutMs?: number;
  /** Whether exchanges that fail are logged, besides the event `request`. Default true. */
  readonly logsFailures?: boolean | undefined;
  /** Streams open at once per carrier, above the edge's own limit a safeguard. Default 20,000. */
  readonly maxInboundStreams?: number;
}

/** Which carriers are up. `hybrid`: both; `grpc`, `tcp`: only that one. */
export type AgentMode = 'hybrid' | 'grpc' | 'tcp';

/** A tunnel as the agent tells of it. */
export interface ServedTunnel {
  /** That of its {@link AgentTunnel}. */
  readonly name: string | undefined;
  readonly domain: string;
  readonly url: string;
  readonly target: string;
}

/** What an agent reports, in order. */
export type AgentEvent =
  /** An attempt begins; `attempt` counts from 1 since the agent last served. */
  | { readonly type: 'connecting'; readonly attempt: number }
  /** A carrier is up, or could not be had and why. */
  | { readonly type: 'carrier'; readonly carrier: 'grpc' | 'tls'; readonly error: GiraffeError | undefined }
  /** The tunnel serves. Comes once for each session. */
  | {
      readonly type: 'ready';
      readonly mode: AgentMode;
      /** Why the mode is not hybrid. */
      readonly reason: string | undefined;
      readonly tunnels: readonly ServedTunnel[];
    }
  /** The edge has taken a tunnel for good; the other ones serve on, and later events `ready` do not name it. */
  | ({ readonly type: 'withdrawn'; readonly error: GiraffeError } & ServedTunnel)
  /** The set of carriers changed while serving. */
  | { readonly type: 'mode'; readonly mode: AgentMode; readonly reason: string | undefined }
  /** The session or an attempt was lost; the next one follows after `delayMs`. */
  | { readonly type: 'reconnecting'; readonly error: GiraffeError; readonly delayMs: number }
  /** One exchange ended at the agent. `status` is undefined when no response head was sent. */
  | {
      readonly type: 'request';
      readonly method: string;
      readonly path: string;
      readonly domain: string;
      readonly status: number | undefined;
      readonly code: string | undefined;
      /** Why it failed, for people; undefined when it went well. */
      readonly detail: string | undefined;
      readonly durationMs: number;
      readonly carrier: 'grpc' | 'tls';
    }
  /** The origin of a tunnel could not be reached, or can be again. Said once per change. */
  | { readonly type: 'origin'; readonly target: string; readonly error: GiraffeError | undefined }
  /** The health check of a tunnel fails, or (undefined) passes again. Said once per change. */
  | {
      readonly type: 'health';
      readonly domain: string | undefined;
      readonly target: string;
      readonly error: GiraffeError | undefined;
    }
  /** The agent is at its end: closed by its owner (`error` undefined), or refused for good. */
  | { readonly type: 'closed'; readonly error: GiraffeError | undefined };

/** A running agent. */
export interface Agent extends AsyncDisposable {
  /** Resolves when the first session serves; rejects when the edge refuses for good or the agent is closed first. */
  readonly ready: Promise<void>;
  /** Resolves when the agent has ended, with the refusal if it was refused. */
  readonly closed: Promise<GiraffeError | undefined>;
  /** Takes no new exchanges, finishes those in flight up to the deadline, then closes. */
  drain(deadlineMs: number): Promise<void>;
}

/** Receives an agent's events. */
export type AgentListener = (event: AgentEvent) => void;
