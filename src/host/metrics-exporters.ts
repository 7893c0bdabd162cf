/** Makes the metrics exporters that the section `metrics` names, and makes them anew when it changes. */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ExtensionContext, MetricsExporter } from '../extension/index.ts';
import type { ExtensionRegistry } from './extension-registry.ts';
import { Lifetimes } from './lifetimes.ts';
import type { MetricsRunner, NamedExporter } from './metrics-runner.ts';
import type { ConfigWithFile } from './program-config.ts';
import { type Made, SelectedExtension } from './selected-extension.ts';

/** What exporters are made with. */
export interface ExporterTools {
  /** Returns the extensions; asked for only when there is an exporter to make. */
  registry(): Promise<ExtensionRegistry>;
  readonly context: ExtensionContext;
  readonly runner: Pick<MetricsRunner, 'use'>;
}

/** Longest time between exports, in milliseconds: what a timer can wait. */
const maxIntervalMs = 2 ** 31 - 1;

/** Makes the exporters; they do not run yet. Throws GIR_ERR_CONFIG or GIR_ERR_EXTENSION_LOAD. */
export function selectExporters(
  tools: ExporterTools,
  config: ConfigWithFile,
): Promise<SelectedExtension<readonly NamedExporter[]>> {
  const section = ({ file }: ConfigWithFile) => file.config.metrics;
  const make = (wanted: ConfigWithFile) => makeExporters(tools, section(wanted));
  return SelectedExtension.start({ section, make, use: (list) => tools.runner.use(list) }, config);
}

async function makeExporters(
  tools: ExporterTools,
  selections: readonly { readonly exporter: string; readonly options: unknown }[],
): Promise<Made<readonly NamedExporter[]>> {
  const lifetimes = new Lifetimes();
  try {
    const value: NamedExporter[] = [];
    for (const { exporter: name, options } of selections) {
      const registry = await tools.registry();
      const exporter = await registry.create('metrics-exporter', name, options, tools.context);
      lifetimes.defer(() => exporter[Symbol.asyncDispose]?.());
      assertExporter(name, exporter);
      value.push({ name, exporter });
    }
    return { value, end: () => lifetimes[Symbol.asyncDispose]() };
  } catch (error) {
    await lifetimes[Symbol.asyncDispose]();
    throw error;
  }
}

/** Plugins need not be written in TypeScript. */
function assertExporter(name: string, exporter: MetricsExporter): void {
  const isGood =
    exporter.mode === 'pull'
      ? typeof exporter.render === 'function' && typeof exporter.contentType === 'string'
      : exporter.mode === 'push' &&
        typeof exporter.export === 'function' &&
        exporter.intervalMs >= 1 &&
        exporter.intervalMs <= maxIntervalMs;
  if (isGood) return;
  const wanted = 'render() and contentType (mode pull), or export() and intervalMs (mode push)';
  throw new GiraffeError('GIR_ERR_EXTENSION_LOAD', `the metrics exporter ${name} does not have ${wanted}`);
}
