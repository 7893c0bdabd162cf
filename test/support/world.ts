/**
 * A whole tunnel in one process for integration tests: a real edge and real agents on real sockets, port 0.
 * Disposing the world ends everything that was started in it.
 */

import { startAgent } from '../../src/agent/agent.ts';
import type { Agent, AgentEvent, AgentOptions } from '../../src/agent/agent-options.ts';
import { startEdge } from '../../src/edge/edge.ts';
import { defaultEdgeLimits, type Edge, type EdgeLimits, type EdgeOptions } from '../../src/edge/edge-options.ts';
import type { AuthProvider } from '../../src/extension/index.ts';
import { parseTarget } from '../../src/http/target.ts';
import { createHybridStrategy } from '../../src/plugins/routing/hybrid.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { testCertificate } from './test-certificate.ts';

/** The token that a test edge accepts for every endpoint. */
export const testToken = 'test-token';

/** One line of a log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps its lines. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ ...fields, level, message });
  };
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

/** An edge in this process, and what it logged. */
export interface TestEdge extends AsyncDisposable {
  readonly edge: Edge;
  readonly log: readonly LogLine[];
  /** Origin of the proxy port, `http://127.0.0.1:port`. */
  readonly url: string;
}

/** Whom a token belongs to; undefined for nobody. */
export interface TokenOwner {
  readonly id: string;
  readonly endpoints: readonly string[];
  readonly expiresAt: Date | undefined;
}

/** Says whom a token belongs to. */
export type TokenCheck = (token: string) => Promise<TokenOwner | undefined>;

/** What a test edge may be started with besides its limits. */
export interface TestEdgeOptions extends Partial<Omit<EdgeOptions, 'limits'>> {
  readonly authenticate?: TokenCheck;
}

const checkTestToken: TokenCheck = async (token) =>
  token === testToken ? { id: 'test', endpoints: ['*'], expiresAt: undefined } : undefined;

/** An authentication provider that knows nothing but tokens. */
export function tokenProvider(check: TokenCheck): AuthProvider {
  return {
    authenticateAgent: async ({ token }) => {
      const owner = await check(token);
      if (owner === undefined) return { kind: 'unknown' };
      const { id, endpoints, expiresAt } = owner;
      return { kind: 'allow', principal: id, endpoints, expiresAt };
    },
  };
}

/** Starts an edge. `limits` and `options` are laid over settings fit for tests; `authenticate` checks tokens. */
export async function startTestEdge(
  limits: Partial<EdgeLimits> = {},
  { authenticate = checkTestToken, ...options }: TestEdgeOptions = {},
): Promise<TestEdge> {
  const { logger, lines } = recordingLogger();
  const known = new Set<string>();
  const edge = await startEdge({
    proxy: { host: '127.0.0.1', port: 0 },
    grpc: { host: '127.0.0.1', port: 0 },
    tunnel: { host: '127.0.0.1', port: 0 },
    baseDomain: 'localhost',
    certificate: await testCertificate(),
    strategy: createHybridStrategy({
      forceGrpcPaths: ['/api/', '/assets/', '/media/', '/static/'],
      forceTcpPaths: ['/ws/', '/websocket/', '/socket.io/'],
    }),
    logger,
    authProviders: [{ name: 'test', provider: tokenProvider(authenticate) }],
    knownEndpoints: known,
    limits: { ...defaultEdgeLimits, ...limits },
    trustedProxies: [],
    ...options,
  });
  return {
    edge,
    log: lines,
    url: `http://127.0.0.1:${edge.ports.proxy}`,
    [Symbol.asyncDispose]: async () => edge[Symbol.asyncDispose](),
  };
}

/** An agent in this process, and what it reported. */
export interface TestAgent extends AsyncDisposable {
  readonly agent: Agent;
  readonly events: readonly AgentEvent[];
  /** Resolves with the first event, past or future, that `matches`. */
  event<T extends AgentEvent['type']>(
    type: T,
    matches?: (event: Extract<AgentEvent, { type: T }>) => boolean,
  ): Promise<Extract<AgentEvent, { type: T }>>;
}

/** Starts an agent for `domain` and waits until it serves, unless `options.waits` is false. */
export async function startTestAgent(
  ports: { readonly grpc: number; readonly tunnel: number },
  domain: string,
  target: string,
  options: Partial<AgentOptions> & { readonly waits?: boolean } = {},
): Promise<TestAgent> {
  const events: AgentEvent[] = [];
  const listeners = new Set<(event: AgentEvent) => void>();
  const { logger } = recordingLogger();
  const { waits = true, ...rest } = options;
  const { caPem } = await testCertificate();
  const agent = startAgent(
    {
      tunnels: [{ domain, target: parseTarget(target) }],
      server: { host: 'localhost', grpcPort: ports.grpc, tunnelPort: ports.tunnel },
      token: testToken,
      trust: { kind: 'ca', pem: caPem },
      transport: 'auto',
      hostHeader: 'preserve',
      logger,
      backoff: { firstMs: 20, maxMs: 200 },
      ...rest,
    },
    (event) => {
      events.push(event);
      for (const listener of [...listeners]) listener(event);
    },
  );
  const testAgent: TestAgent = {
    agent,
    events,
    event: (type, matches = () => true) =>
      new Promise((resolve) => {
        type Wanted = Parameters<typeof resolve>[0] & AgentEvent;
        const look = (event: AgentEvent): void => {
          if (event.type !== type || !matches(event as never)) return;
          listeners.delete(look);
          resolve(event as Wanted as never);
        };
        listeners.add(look);
        for (const event of [...events]) look(event);
      }),
    [Symbol.asyncDispose]: async () => agent[Symbol.asyncDispose](),
  };
  if (waits) {
    await agent.ready;
    const wanted = rest.transport === undefined || rest.transport === 'auto' ? 'hybrid' : rest.transport;
    await Promise.race([
      testAgent.event('ready', (event) => event.mode === wanted),
      testAgent.event('mode', (event) => event.mode === wanted),
    ]);
  }
  return testAgent;
}
