/**
 * Metrics exporters at an agent. The one label of its figures is the endpoint: the agent's own few.
 *
 * An exporter that is asked for its text, such as `prometheus`, has nobody who asks here: it is for an edge that shares
 * the configuration file.
 */
import type { AgentFigures, AgentTally } from '../agent/figures.ts';
import { configFolder } from '../config/config-file.ts';
import { ExtensionGuard } from '../extension/guard.ts';
import type { CounterMetric, MetricsSnapshot } from '../extension/index.ts';
import { defaultStateDir } from '../state/state-folder.ts';
import type { AgentSurroundings } from './agent-options-of.ts';
import { collectExtensions } from './collect-extensions.ts';
import type { ExtensionRegistry } from './extension-registry.ts';
import type { Lifetimes } from './lifetimes.ts';
import { selectExporters } from './metrics-exporters.ts';
import { MetricsRunner, type NamedExporter } from './metrics-runner.ts';
import { loadPlugins, type PluginHost } from './plugin-loader.ts';
import type { AgentConfig } from './program-config.ts';
import type { SelectedExtension } from './selected-extension.ts';

const help: Readonly<Record<keyof AgentTally, string>> = {
  requests: 'Exchanges that began at the agent.',
  responses: 'Exchanges that ended well.',
  errors: 'Exchanges that failed or were given up by the edge.',
  reconnects: 'Sessions with the edge after the first one.',
};

/** Returns all figures of an agent. */
export function agentSnapshot(figures: AgentFigures, startedAt: Date): MetricsSnapshot {
  const counter = (name: keyof AgentTally): CounterMetric => ({
    kind: 'counter',
    name: `giraffe_agent_${name}_total`,
    help: help[name],
    unit: '',
    samples: [...figures.tallies].map(([endpoint, tally]) => ({ labels: { endpoint }, value: tally[name] })),
  });
  return {
    role: 'agent',
    takenAt: new Date(),
    startedAt,
    metrics: [counter('requests'), counter('responses'), counter('errors'), counter('reconnects')],
  };
}

/**
 * Starts the exporters of an agent; plugins are loaded only when there is an exporter.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD.
 */
export async function startAgentMetrics(
  plugins: PluginHost,
  config: AgentConfig,
  { figures, logger, environment }: AgentSurroundings,
  lifetimes: Lifetimes,
): Promise<SelectedExtension<readonly NamedExporter[]>> {
  const startedAt = new Date();
  const guard = new ExtensionGuard();
  const snapshot = () => {
    const own = agentSnapshot(figures, startedAt);
    return { ...own, metrics: [...own.metrics, guard.metric()] };
  };
  const runner = new MetricsRunner({ logger, guard, snapshot });
  const stateDir = config.settings.stateDir ?? defaultStateDir(environment);
  let loaded: Promise<ExtensionRegistry> | undefined;
  const registry = () => {
    loaded ??= load(plugins, config);
    return loaded;
  };
  const configDir = configFolder(config.file, process.cwd());
  const workshop = { context: { logger, stateDir, configDir, now: Date.now }, guard };
  const tools = { registry, workshop, runner };
  const exporters = lifetimes.use(await selectExporters(tools, config));
  lifetimes.use(runner).use(exporters.value);
  return exporters;
}

async function load(plugins: PluginHost, { file }: AgentConfig): Promise<ExtensionRegistry> {
  await loadPlugins(plugins, file.config.plugins, configFolder(file, process.cwd()));
  return collectExtensions(plugins);
}
