/** Metrics exporters at an agent. The label of its figures is the endpoint: the agent's own few. */
import type { AgentFigures } from '../../agent/figures.ts';
import { configFolder } from '../../config/config-file.ts';
import { ExtensionGuard } from '../../extension/guard.ts';
import type { CounterMetric, GaugeMetric, MetricsSnapshot } from '../../extension/index.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import type { ExtensionRegistry } from '../extensions/extension-registry.ts';
import { registryFor } from '../extensions/extension-selection.ts';
import type { PluginHost } from '../extensions/plugin-loader.ts';
import type { SelectedExtension } from '../extensions/selected-extension.ts';
import type { Lifetimes } from '../lifecycle/lifetimes.ts';
import { selectExporters } from '../metrics/metrics-exporters.ts';
import { MetricsRunner, type NamedExporter } from '../metrics/metrics-runner.ts';
import type { AgentConfig } from '../settings/program-config.ts';
import type { AgentSurroundings } from './agent-options-of.ts';

/** What is counted per endpoint: the figure, its metric and what it is. */
const counters = [
  ['requests', 'giraffe_agent_requests_total', 'Exchanges that began at the agent.', ''],
  ['responses', 'giraffe_agent_responses_total', 'Exchanges that ended well.', ''],
  ['errors', 'giraffe_agent_errors_total', 'Exchanges that failed or were given up by the edge.', ''],
  ['reconnects', 'giraffe_agent_reconnects_total', 'Sessions with the edge after the first one.', ''],
  ['requestBytes', 'giraffe_agent_request_bytes_total', 'Octets of bodies and relays from clients.', 'bytes'],
  ['responseBytes', 'giraffe_agent_response_bytes_total', 'Octets of bodies and relays to clients.', 'bytes'],
] as const;

/** Returns all figures of an agent. */
export function agentSnapshot({ tallies, startedAt }: AgentFigures): MetricsSnapshot {
  const samples = (figure: (typeof counters)[number][0] | 'inFlight') =>
    [...tallies].map(([endpoint, tally]) => ({ labels: { endpoint }, value: tally[figure] }));
  const counted = counters.map(
    ([figure, name, help, unit]): CounterMetric => ({ kind: 'counter', name, help, unit, samples: samples(figure) }),
  );
  const inFlight: GaugeMetric = {
    kind: 'gauge',
    name: 'giraffe_agent_requests_in_flight',
    help: 'Exchanges and relays that have not ended.',
    unit: '',
    samples: samples('inFlight'),
  };
  return { role: 'agent', takenAt: new Date(), startedAt, metrics: [...counted, inFlight] };
}

/** What runs the exporters of an agent. */
export interface AgentMetrics {
  readonly runner: MetricsRunner;
  readonly guard: ExtensionGuard;
}

/** Returns what runs the exporters, before there are any. */
export function createAgentMetrics({ figures, logger }: AgentSurroundings): AgentMetrics {
  const guard = new ExtensionGuard();
  const snapshot = (): MetricsSnapshot => {
    const own = agentSnapshot(figures);
    return { ...own, metrics: [...own.metrics, guard.metric()] };
  };
  return { runner: new MetricsRunner({ logger, guard, snapshot }), guard };
}

/**
 * Starts the exporters of an agent. Plugins are loaded only when there is an exporter or the file names some: what somebody
 * has asked for by name does not fail in silence.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD.
 */
export async function startAgentMetrics(
  plugins: PluginHost,
  config: AgentConfig,
  { logger, environment }: AgentSurroundings,
  { runner, guard }: AgentMetrics,
  lifetimes: Lifetimes,
): Promise<SelectedExtension<readonly NamedExporter[]>> {
  const stateDir = config.settings.stateDir ?? defaultStateDir(environment);
  let loaded: Promise<ExtensionRegistry> | undefined;
  const registry = () => {
    loaded ??= registryFor(plugins, config.file);
    return loaded;
  };
  const configDir = configFolder(config.file, process.cwd());
  const workshop = { context: { logger, stateDir, configDir, now: Date.now }, guard };
  const tools = { registry, workshop, runner };
  if (config.file.config.plugins.length > 0) await registry();
  const exporters = lifetimes.use(await selectExporters(tools, config));
  lifetimes.use(runner).use(exporters.value);
  return exporters;
}
