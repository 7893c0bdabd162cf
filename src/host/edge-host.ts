/**
 * Runs an edge from settings to exit status: state, extensions, listeners, signals, drain.
 *
 * The order matters: whatever can be refused is refused before anything listens, and what has started is ended in
 * reverse whatever happens.
 */
import { hostname } from 'node:os';
import type { EdgeSettings } from '../config/edge-settings.ts';
import type { Environment } from '../config/env.ts';
import { startEdge } from '../edge/edge.ts';
import { defaultEdgeLimits, type Edge, type EdgeLimits } from '../edge/edge-options.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { startManagementServer } from '../management/management-server.ts';
import { defaultStateDir } from '../state/state-folder.ts';
import { collectExtensions, type HookRunner } from './collect-extensions.ts';
import { createLogger, type ProcessLog } from './create-logger.ts';
import { type EdgeAnnouncement, edgeReadyEvent, edgeReadyLines } from './edge-announcement.ts';
import { type EdgeState, openEdgeState } from './edge-state.ts';
import { Lifetimes } from './lifetimes.ts';
import { listenFailure } from './listen-failure.ts';
import { type Output, writeEvent } from './output.ts';
import { listenForSignals } from './shutdown-signals.ts';

/** What an edge is run with. */
export interface EdgeHostContext {
  readonly settings: EdgeSettings;
  readonly plugins: HookRunner;
  readonly environment: Environment;
  readonly output: Output;
  /** Whether programs read stdout. */
  readonly json: boolean;
}

/** The strategy in force until a configuration file can name another one. */
const strategyName = 'hybrid';
const oldestSupportedNode = 22;

/**
 * Runs an edge until a signal ends it, and returns the exit status.
 *
 * @throws {GiraffeError} When it cannot start; nothing is left running then.
 */
export async function runEdge(context: EdgeHostContext): Promise<number> {
  const { settings, output, json } = context;
  const log = createLogger(settings);
  if (!json) warnOfOldNode(output);
  const lifetimes = new Lifetimes();
  try {
    const { edge, announcement, reload } = await start(context, log, lifetimes);
    const signals = listenForSignals(process, () => void reload());
    lifetimes.defer(() => signals[Symbol.dispose]());
    if (json) writeEvent(output, 'ready', edgeReadyEvent(announcement, process.pid));
    else for (const line of edgeReadyLines(announcement)) output.err(line);
    const signal = await signals.first;
    log.logger.info({ signal, deadlineMs: settings.drainTimeout }, 'draining');
    await edge.drain(settings.drainTimeout);
    log.logger.info({}, 'drained');
    return 0;
  } finally {
    await lifetimes[Symbol.asyncDispose]();
  }
}

interface StartedEdge {
  readonly edge: ManagedEdge;
  readonly announcement: EdgeAnnouncement;
  /** Reads certificates and tokens again; keeps the old ones, and says why, when they are bad. */
  reload(): Promise<void>;
}

/** An edge that knows whether it takes requests. */
interface ManagedEdge {
  drain(deadlineMs: number): Promise<void>;
}

async function start(context: EdgeHostContext, log: ProcessLog, lifetimes: Lifetimes): Promise<StartedEdge> {
  const { settings, environment } = context;
  const { logger } = log;
  const registry = await collectExtensions(context.plugins);
  const strategy = await registry.create('routing-strategy', strategyName, {}, { logger });
  if (isAsyncDisposable(strategy)) lifetimes.use(strategy);
  const defaultDir = defaultStateDir(environment);
  const state = await openEdgeState(settings.stateDir ?? defaultDir, settings, logger, lifetimes);
  const certificate = await state.certificate();
  const listen = (port: number) => ({ host: settings.host, port });
  let isDraining = false;
  const { edge, api } = await listening(settings, async () => {
    const edge = lifetimes.use(
      await startEdge({
        proxy: listen(settings.proxyPort),
        grpc: listen(settings.grpcPort),
        tunnel: listen(settings.tunnelPort),
        baseDomain: settings.baseDomain,
        certificate,
        strategy,
        logger,
        authenticate: async (token) => state.tokens.authenticate(token),
        knownEndpoints: state.knownEndpoints,
        limits: limitsOf(settings),
        trustedProxies: settings.trustedProxies,
      }),
    );
    const api = lifetimes.use(await startApi(settings, state, edge, () => !isDraining));
    return { edge, api };
  });
  return {
    edge: {
      drain: async (deadlineMs) => {
        isDraining = true;
        await edge.drain(deadlineMs);
      },
    },
    announcement: {
      ports: { proxy: edge.ports.proxy, api: api.port, grpc: edge.ports.grpc, tunnel: edge.ports.tunnel },
      apiHost: settings.apiHost,
      baseDomain: settings.baseDomain,
      publicHost: publicHost(settings),
      stateDir: state.path,
      isDefaultStateDir: state.path === defaultDir,
      caFingerprint: certificate.caFingerprint,
      firstToken: state.firstToken,
    },
    reload: () => reload(state, edge, log),
  };
}

async function listening<T>(settings: EdgeSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw listenFailure(error, settings);
  }
}

function startApi(settings: EdgeSettings, state: EdgeState, edge: Edge, isReady: () => boolean) {
  const names = [settings.baseDomain, settings.publicHost, settings.apiHost].filter((name) => name !== undefined);
  return startManagementServer(
    {
      isReady,
      stats: () => edge.stats(),
      authenticateAdmin: (token) => state.tokens.authenticateAdmin(token),
    },
    { host: settings.apiHost, port: settings.apiPort, names },
  );
}

async function reload(state: EdgeState, edge: Edge, log: ProcessLog): Promise<void> {
  try {
    log.reopen();
    await state.tokens.reload();
    edge.reload(await state.certificate());
    log.logger.info({}, 'reloaded');
  } catch (error) {
    const { code, message } = GiraffeError.from(error);
    log.logger.error({ code, detail: message }, 'reload refused: what was in force stays');
  }
}

function limitsOf(settings: EdgeSettings): EdgeLimits {
  return {
    ...defaultEdgeLimits,
    maxStreams: settings.maxStreams,
    maxMessageBytes: settings.maxMessageSize,
    keepAliveMs: settings.keepAlive,
    requestTimeoutMs: settings.requestTimeout,
    reconnectGraceMs: settings.reconnectGrace,
    maxConnections: settings.maxConnections,
    maxHeadBytes: settings.maxHeaderSize,
  };
}

function publicHost({ publicHost: wanted, baseDomain }: EdgeSettings): string {
  if (wanted !== undefined) return wanted;
  return baseDomain === 'localhost' || baseDomain.endsWith('.localhost') ? hostname() : baseDomain;
}

function warnOfOldNode(output: Output): void {
  if (oldestSupportedNode <= Number.parseInt(process.versions.node, 10)) return;
  output.err(
    `Warning: Node ${process.versions.node} is past its end of life; ${oldestSupportedNode} or newer is better.`,
  );
}

function isAsyncDisposable(value: object): value is AsyncDisposable {
  return Symbol.asyncDispose in value && typeof value[Symbol.asyncDispose] === 'function';
}
