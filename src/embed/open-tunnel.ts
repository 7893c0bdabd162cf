/**
 * An agent inside a program of one's own.
 *
 * It never ends that program, listens to no signal, prints nothing, and reads neither a configuration file nor a variable
 * of giraffe. While it is open it keeps the program alive.
 */
import type { AgentEvent, AgentMode, AgentOptions } from '../agent/agent-options.ts';
import { AgentFigures } from '../agent/figures.ts';
import { resolveAgentSettings } from '../config/agent-settings.ts';
import { emptyConfig } from '../config/config-file.ts';
import { readEnvironment } from '../config/env.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { agentOptionsOf } from '../host/agent/agent-options-of.ts';
import { firstOf, lateError } from '../host/agent/agent-start.ts';
import { untilPublic } from '../host/agent/readiness/public-check.ts';
import { ReplaceableAgent } from '../host/agent/replaceable-agent.ts';
import { serverText } from '../host/network/server-text.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';

/** How to open a tunnel. */
export interface TunnelOptions {
  /** The service: a port, or `host:port`, an `http(s)://` URL, `unix:/path`. */
  readonly target: number | string;
  /** The edge, `host` or `host:port` with the port of its gRPC tunnel. Default `localhost:4444`. */
  readonly server?: string | undefined;
  /** The edge's port of the TCP tunnel, for when gRPC cannot be asked for it. Default 4443. */
  readonly tunnelPort?: number | undefined;
  /** Default the token that an edge left in the state folder of this machine. */
  readonly token?: string | undefined;
  /** The edge's CA: PEM text, the path of a PEM file, or `sha256:…`. Default that in the state folder, or the system's. */
  readonly ca?: string | undefined;
  /** Host name of the endpoint. Default a memorable name under the base domain of the edge. */
  readonly domain?: string | undefined;
  /** Default `auto`. */
  readonly transport?: 'auto' | 'grpc' | 'tcp' | undefined;
  /** Host that the service sees, as `--host-header` takes it. Default `preserve`. */
  readonly hostHeader?: string | undefined;
  /** What being ready takes, as `--wait-ready` does. Default `registered`. */
  readonly waitReady?: 'registered' | 'reachable' | 'origin' | undefined;
  /** Time to become ready, in milliseconds, at least 1. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Gives up opening; once the tunnel is open it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** Where the agent logs. Default nowhere. */
  readonly logger?: Logger | undefined;
  /** Where an edge on this machine keeps token and CA. Default the XDG state folder. */
  readonly stateDir?: string | undefined;
}

/** What an open tunnel tells. Times in milliseconds. */
export type TunnelEvent = Extract<AgentEvent, { type: 'mode' | 'ready' | 'reconnecting' | 'request' | 'closed' }>;

/** An open tunnel. */
export interface Tunnel extends AsyncDisposable {
  /** Where clients reach the service. */
  readonly url: string;
  /** The host of {@link url}. */
  readonly domain: string;
  /** Which carriers are up: `hybrid`, `grpc` or `tcp`; undefined while the agent reconnects. */
  readonly mode: AgentMode | undefined;
  /** Resolves when the tunnel has ended: with an error when the edge refused it for good. */
  readonly closed: Promise<GiraffeError | undefined>;
  /**
   * Calls `listener` for each event of a kind from now on; what it returns is called to end that. A listener that throws is
   * an uncaught exception of the program, and no trouble for the tunnel.
   */
  on<Type extends TunnelEvent['type']>(
    type: Type,
    listener: (event: Extract<TunnelEvent, { type: Type }>) => void,
  ): () => void;
  /** Ends the tunnel. What is in flight has `drainMs` milliseconds to finish, by default none. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

const defaultTimeoutMs = 30_000;

/**
 * Opens a tunnel and returns it once it is ready.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE or GIR_ERR_CONFIG for options that are not valid, GIR_ERR_EDGE_UNREACHABLE,
 *   GIR_ERR_CREDENTIALS_REFUSED and the like when the edge cannot be had, GIR_ERR_NOT_PUBLIC; the reason of `signal`.
 */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const { agent, server, timeoutMs } = await readOptions(options);
  options.signal?.throwIfAborted();
  const tunnel = new OpenTunnel(agent);
  try {
    await tunnel.opened({ options, server, timeoutMs });
    return tunnel;
  } catch (error) {
    await tunnel.close();
    throw error;
  }
}

async function readOptions(options: TunnelOptions) {
  const { target, ca, stateDir, logger = silentLogger, timeoutMs = defaultTimeoutMs } = options;
  const isPem = ca?.includes('-----BEGIN') ?? false;
  const flags = {
    server: options.server,
    'tunnel-port': options.tunnelPort?.toString(),
    token: options.token,
    ca: isPem ? undefined : ca,
    domain: options.domain,
    transport: options.transport,
    'host-header': options.hostHeader,
    'wait-ready': options.waitReady,
    timeout: `${timeoutMs}ms`,
    'state-dir': stateDir,
  };
  const settings = resolveAgentSettings(flags, {});
  const agent = await agentOptionsOf(
    { settings, file: emptyConfig() },
    {
      target: String(target),
      environment: readEnvironment(),
      logger,
      figures: new AgentFigures(),
      readStdin: () => Promise.reject(new GiraffeError('GIR_ERR_CONFIG', 'the token is the text itself, not -')),
    },
  );
  const trusting: AgentOptions = isPem && ca !== undefined ? { ...agent, trust: { kind: 'ca', pem: ca } } : agent;
  return { agent: trusting, server: serverText(settings.server), timeoutMs };
}

interface Opening {
  readonly options: TunnelOptions;
  readonly server: string;
  readonly timeoutMs: number;
}

class OpenTunnel implements Tunnel {
  readonly #agent: ReplaceableAgent;
  readonly #listeners = new Map<string, Set<(event: never) => void>>();
  #tunnels: Extract<AgentEvent, { type: 'ready' }>['tunnels'] = [];
  #mode: AgentMode | undefined;
  #lastError: GiraffeError | undefined;

  constructor(options: AgentOptions) {
    this.#agent = new ReplaceableAgent(options, (event) => this.#hear(event));
  }

  get url(): string {
    return this.#tunnels[0]?.url ?? '';
  }

  get domain(): string {
    return this.#tunnels[0]?.domain ?? '';
  }

  get mode(): AgentMode | undefined {
    return this.#mode;
  }

  get closed(): Promise<GiraffeError | undefined> {
    return this.#agent.closed;
  }

  on<Type extends TunnelEvent['type']>(
    type: Type,
    listener: (event: Extract<TunnelEvent, { type: Type }>) => void,
  ): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  async close({ drainMs = 0 }: { readonly drainMs?: number } = {}): Promise<void> {
    await this.#agent.drain(drainMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resolves when the tunnel is ready in the sense of the options. */
  async opened({ options, server, timeoutMs }: Opening): Promise<void> {
    const { waitReady: level = 'registered', signal } = options;
    const over = new AbortController();
    let problem: string | undefined;
    const ready = this.#agent.ready.then(() =>
      untilPublic({
        level,
        tunnels: this.#tunnels,
        signal: over.signal,
        onProblem: (reason) => {
          problem = reason;
        },
      }),
    );
    const aborted = new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });
    });
    try {
      const start = await Promise.race([firstOf(ready, this.closed, new Promise(() => {}), timeoutMs), aborted]);
      if (start.kind === 'late') throw lateError({ timeoutMs, server, lastError: this.#lastError, problem });
    } finally {
      over.abort();
    }
  }

  #hear(event: AgentEvent): void {
    if (event.type === 'ready') this.#tunnels = event.tunnels;
    if (event.type === 'ready' || event.type === 'mode') this.#mode = event.mode;
    if (event.type === 'reconnecting' || event.type === 'closed') this.#mode = undefined;
    if (event.type === 'reconnecting') this.#lastError = event.error;
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) callSafely(listener, event);
  }
}

/** Whoever listens may fail without harm to the tunnel. */
function callSafely(listener: (event: never) => void, event: AgentEvent): void {
  try {
    listener(event as never);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
