/**
 * Runs an edge from settings to exit status: state, extensions, listeners, signals, drain.
 *
 * The order matters: whatever can be refused is refused before anything listens, and what has started is ended in
 * reverse whatever happens.
 */
import { hostname } from 'node:os';
import { createDeferred } from '../../agent/deferred.ts';
import { configFolder } from '../../config/config-file.ts';
import type { EdgeSettings } from '../../config/edge-settings.ts';
import { CredentialClock } from '../../edge/credential-clock.ts';
import { startEdge } from '../../edge/edge.ts';
import type { Edge } from '../../edge/edge-options.ts';
import { ExtensionGuard } from '../../extension/guard.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import { defaultExporters, registryFor } from '../extensions/extension-selection.ts';
import { Lifetimes } from '../lifecycle/lifetimes.ts';
import { Reloader } from '../lifecycle/reloader.ts';
import { listenForSignals, stoppingText } from '../lifecycle/shutdown-signals.ts';
import { createLogger, type ProcessLog } from '../logging/create-logger.ts';
import { selectExporters } from '../metrics/metrics-exporters.ts';
import { MetricsRunner } from '../metrics/metrics-runner.ts';
import { listenFailure } from '../network/listen-failure.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { type EdgeConfig, readEdgeConfig } from '../settings/program-config.ts';
import { type Output, writeEvent } from '../terminal/output.ts';
import { announcementOf, type EdgeAnnouncement, edgeReadyEvent, edgeReadyLines } from './edge-announcement.ts';
import { startApi } from './edge-api.ts';
import {
  type ExtensionTools,
  selectAuthProviders,
  selectCertificateSource,
  selectStrategy,
} from './edge-extensions.ts';
import { edgeOptionsOf } from './edge-options-of.ts';
import { EdgeReload } from './edge-reload.ts';
import { openEdgeState } from './edge-state.ts';

const oldestSupportedNode = 22;

/**
 * Runs an edge until a signal ends it, and returns the exit status.
 *
 * @throws {GiraffeError} When it cannot start; nothing is left running then.
 */
export async function runEdge(context: HostContext): Promise<number> {
  const { input, output, json } = context;
  const config = await readEdgeConfig(input);
  const log = createLogger(config.settings);
  if (!json) warnOfOldNode(output);
  const lifetimes = new Lifetimes();
  try {
    const { edge, announcement, reload, drainAsked } = await beginEdge(context, config, log, lifetimes);
    const reloader = new Reloader(reload);
    const signals = listenForSignals(process, () => void reloader.request());
    lifetimes.defer(() => signals[Symbol.dispose]());
    if (json) writeEvent(output, 'ready', edgeReadyEvent(announcement, process.pid));
    else for (const line of edgeReadyLines(announcement)) output.err(line);
    const signal = await Promise.race([signals.first, drainAsked]);
    const deadlineMs = reload.settings.drainTimeout;
    if (!json && signal !== 'API') output.err(stoppingText(deadlineMs));
    log.logger.info({ signal, deadlineMs }, 'draining');
    await edge.drain(deadlineMs);
    log.logger.info({}, 'drained');
    return 0;
  } finally {
    await lifetimes[Symbol.asyncDispose]();
  }
}

/** What has begun. */
export interface StartedEdge {
  readonly edge: ManagedEdge;
  readonly announcement: EdgeAnnouncement;
  readonly reload: EdgeReload;
  /** Resolves when somebody asks for the end by the API. */
  readonly drainAsked: Promise<'API'>;
}

/** An edge that knows whether it takes requests. */
export interface ManagedEdge {
  drain(deadlineMs: number): Promise<void>;
}

/**
 * Begins an edge: all its listeners accept when this returns. `lifetimes` ends it.
 *
 * @throws {GiraffeError} Why it cannot begin.
 */
export async function beginEdge(
  { input, plugins }: Pick<HostContext, 'input' | 'plugins'>,
  config: EdgeConfig,
  log: ProcessLog,
  lifetimes: Lifetimes,
): Promise<StartedEdge> {
  const { settings, file } = config;
  const { logger } = log;
  const configDir = configFolder(file, process.cwd());
  const registry = await registryFor(plugins, file);
  const defaultDir = defaultStateDir(input.environment);
  const stateDir = settings.stateDir ?? defaultDir;
  const guard = new ExtensionGuard();
  const clock = new CredentialClock();
  const watch = clock.watch(logger);
  lifetimes.defer(() => watch[Symbol.dispose]());
  const { now } = clock;
  const workshop = { context: { logger, stateDir, configDir, now }, guard };
  const tools: ExtensionTools = { registry, workshop, edge: () => edge };
  const strategy = lifetimes.use(await selectStrategy(tools, config));
  const state = await openEdgeState(stateDir, logger, lifetimes);
  const auth = lifetimes.use(await selectAuthProviders(tools, config));
  const metrics = new MetricsRunner({ logger, guard, snapshot: () => edge.snapshot() });
  const exporterTools = { registry: async () => registry, workshop, runner: metrics };
  const exporters = lifetimes.use(await selectExporters(exporterTools, config, defaultExporters));
  const source = await selectCertificateSource(tools, config);
  if (source !== undefined) lifetimes.defer(source.end);
  const certificates = await state.certificates(settings);
  let isDraining = false;
  const drainAsked = createDeferred<'API'>();
  const edge: Edge = await listening(settings, async () =>
    lifetimes.use(
      await startEdge({
        ...edgeOptionsOf(config),
        certificate: certificates.tunnels,
        proxyCertificate: certificates.proxy,
        certificateSource: source?.named,
        ...strategy.value,
        guard,
        logger,
        now,
        authProviders: auth.value,
        knownEndpoints: state.knownEndpoints,
      }),
    ),
  );
  const reload = new EdgeReload({ input, config, edge, state, log, parts: [strategy, auth, exporters] });
  const api = await listening(settings, async () =>
    lifetimes.use(
      await startApi(settings, {
        edge,
        tokens: state.tokens,
        metrics,
        logger,
        now,
        isReady: () => !isDraining,
        drain: () => {
          drainAsked.resolve('API');
          return reload.settings.drainTimeout;
        },
      }),
    ),
  );
  lifetimes.use(metrics).use(exporters.value);
  return {
    edge: {
      drain: async (deadlineMs) => {
        isDraining = true;
        await edge.drain(deadlineMs);
      },
    },
    announcement: announcementOf(settings, {
      ports: { ...edge.ports, api: api.port },
      machineName: hostname(),
      stateDir: state.path,
      isDefaultStateDir: state.path === defaultDir,
      caFingerprint: certificates.tunnels.caFingerprint,
      // Without a terminal, stderr is the journal of a service or the log of a container, where it would stay.
      firstToken: process.stderr.isTTY === true ? state.firstToken : undefined,
    }),
    reload,
    drainAsked: drainAsked.promise,
  };
}

async function listening<T>(settings: EdgeSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw listenFailure(error, settings);
  }
}

function warnOfOldNode(output: Output): void {
  if (oldestSupportedNode <= Number.parseInt(process.versions.node, 10)) return;
  output.err(
    `Warning: Node ${process.versions.node} is past its end of life; ${oldestSupportedNode} or newer is better.`,
  );
}
