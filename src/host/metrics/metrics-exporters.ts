/** Makes the metrics exporters that the section `metrics` names, and makes them anew when it changes. */
import type { ExtensionRegistry, Workshop } from '../extensions/extension-registry.ts';
import { type Made, madeTogether, SelectedExtension } from '../extensions/selected-extension.ts';
import type { ConfigWithFile } from '../settings/program-config.ts';
import type { MetricsRunner, NamedExporter } from './metrics-runner.ts';

/** What exporters are made with. */
export interface ExporterTools {
  /** Returns the extensions; asked for only when there is an exporter to make. */
  registry(): Promise<ExtensionRegistry>;
  readonly workshop: Workshop;
  readonly runner: Pick<MetricsRunner, 'use'>;
}

/** Exporters by name, with their options. */
type Exporters = readonly { readonly exporter: string; readonly options: unknown }[];

/** Makes the exporters; they do not run yet. @param defaults Those of a configuration that has no section `metrics`. Throws GIR_ERR_CONFIG or GIR_ERR_EXTENSION_LOAD. */
export function selectExporters(
  tools: ExporterTools,
  config: ConfigWithFile,
  defaults: Exporters = [],
): Promise<SelectedExtension<readonly NamedExporter[]>> {
  const section = ({ file }: ConfigWithFile): Exporters => file.config.metrics ?? defaults;
  const make = (wanted: ConfigWithFile) => makeExporters(tools, section(wanted));
  return SelectedExtension.start({ section, make, use: (list) => tools.runner.use(list) }, config);
}

function makeExporters(tools: ExporterTools, selections: Exporters): Promise<Made<readonly NamedExporter[]>> {
  return madeTogether(async (keep) => {
    const list: NamedExporter[] = [];
    for (const { exporter: name, options } of selections) {
      const registry = await tools.registry();
      list.push({ name, exporter: keep(await registry.create('metrics-exporter', name, options, tools.workshop)) });
    }
    return list;
  });
}
