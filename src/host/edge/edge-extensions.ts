/** What the sections `routing` and `auth` of the configuration pick, made and made anew. */
import type { Edge, NamedAuthProvider } from '../../edge/edge-options.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { RoutingStrategy } from '../../extension/index.ts';
import type { ExtensionRegistry, Workshop } from '../extensions/extension-registry.ts';
import { SelectedExtension } from '../extensions/selected-extension.ts';
import type { ConfigWithFile, EdgeConfig } from '../settings/program-config.ts';
import { createAuthProviders } from './auth-providers.ts';

/** What extensions of an edge are made with. */
export interface ExtensionTools {
  readonly registry: ExtensionRegistry;
  readonly workshop: Workshop;
  /** The edge that uses them; asked for only when one is replaced. */
  edge(): Edge;
}

/** A strategy and its name in the configuration. */
export interface NamedStrategy {
  readonly strategyName: string;
  readonly strategy: RoutingStrategy;
}

/** Makes the routing strategy. Throws GIR_ERR_CONFIG or GIR_ERR_EXTENSION_LOAD. */
export function selectStrategy(
  tools: ExtensionTools,
  config: ConfigWithFile,
): Promise<SelectedExtension<NamedStrategy>> {
  const section = ({ file }: ConfigWithFile) => file.config.routing;
  const make = async (wanted: ConfigWithFile) => {
    const { strategy: name, options } = section(wanted);
    const { value, end } = await tools.registry.create('routing-strategy', name, options, tools.workshop);
    return { value: { strategyName: name, strategy: value }, end };
  };
  return SelectedExtension.start({ section, make, use: (named) => tools.edge().reconfigure(named) }, config);
}

/** Makes the auth providers. Throws as {@link selectStrategy} does. */
export function selectAuthProviders(
  tools: ExtensionTools,
  config: ConfigWithFile,
): Promise<SelectedExtension<readonly NamedAuthProvider[]>> {
  const section = ({ file }: ConfigWithFile) => file.config.auth;
  const make = (wanted: ConfigWithFile) => createAuthProviders(tools.registry, section(wanted), tools.workshop);
  return SelectedExtension.start({ section, make, use: (list) => tools.edge().changeAuthProviders(list) }, config);
}

/**
 * Makes the certificate source of the proxy port; undefined without one. It stays as long as the edge does.
 *
 * @throws {GiraffeError} As {@link selectStrategy} does; also GIR_ERR_CONFIG when the proxy port speaks plain HTTP.
 */
export async function selectCertificateSource({ registry, workshop }: ExtensionTools, { file, settings }: EdgeConfig) {
  const section = file.config.certificates;
  if (!settings.proxyTls && (section !== undefined || settings.redirectPort !== undefined)) {
    const what = section === undefined ? '--redirect-port' : 'the section certificates';
    throw new GiraffeError('GIR_ERR_CONFIG', `${what} is of use only with --proxy-tls (server.proxyTls.enabled)`);
  }
  if (section === undefined) return undefined;
  const { source: name, options } = section;
  const { value: source, end } = await registry.create('certificate-source', name, options, workshop);
  return { named: { name, source }, end };
}
