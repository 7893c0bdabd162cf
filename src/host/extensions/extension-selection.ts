/** Which extensions the configuration file picks, and how commands come by the installed ones. */
import type { LoadedConfig } from '../../config/config-file.ts';
import type { ExtensionKind } from '../../extension/index.ts';
import { collectExtensions } from './collect-extensions.ts';
import type { ExtensionRegistry } from './extension-registry.ts';
import { loadPlugins, type PluginHost } from './plugin-loader.ts';

/** One extension that the configuration picks. */
export interface Selection {
  readonly kind: ExtensionKind;
  readonly name: string;
  readonly options: unknown;
}

/** Exporters of an edge whose configuration names none: rendering on request costs nothing until somebody asks. */
export const defaultExporters: { exporter: string; options: Record<string, unknown> }[] = [
  { exporter: 'prometheus', options: {} },
];

/** The section of the configuration file that picks extensions of each kind. */
export const sectionOf = {
  'routing-strategy': 'routing',
  'auth-provider': 'auth',
  'metrics-exporter': 'metrics',
  'certificate-source': 'certificates',
} as const satisfies Record<ExtensionKind, string>;

/** Loads the plugins of a configuration, and returns the extensions of all. Throws GIR_ERR_EXTENSION_LOAD. */
export async function registryFor(plugins: PluginHost, file: LoadedConfig): Promise<ExtensionRegistry> {
  await loadPlugins(plugins, file);
  return collectExtensions(plugins);
}

/** Returns what a configuration picks, in the order of its sections. */
export function selections({
  config: { routing, auth, metrics = defaultExporters, certificates },
}: LoadedConfig): Selection[] {
  return [
    { kind: 'routing-strategy', name: routing.strategy, options: routing.options },
    ...auth.map(({ provider, options }): Selection => ({ kind: 'auth-provider', name: provider, options })),
    ...(certificates === undefined
      ? []
      : [{ kind: 'certificate-source', name: certificates.source, options: certificates.options } as const]),
    ...metrics.map(({ exporter, options }): Selection => ({ kind: 'metrics-exporter', name: exporter, options })),
  ];
}
