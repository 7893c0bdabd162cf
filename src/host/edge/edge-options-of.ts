/** What an edge is started with, as far as its settings say. */
import type { EdgeSettings } from '../../config/edge-settings.ts';
import type { EdgeOptions } from '../../edge/edge-options.ts';
import { edgePolicyOf } from '../settings/policy-settings.ts';
import type { EdgeConfig } from '../settings/program-config.ts';
import { edgeLimits } from './edge-limits.ts';

/** The options that settings decide. */
export type SettledOptions = Pick<
  EdgeOptions,
  | 'proxy'
  | 'grpc'
  | 'tunnel'
  | 'grpcPlaintext'
  | 'baseDomain'
  | 'redirect'
  | 'publicUrls'
  | 'limits'
  | 'trustedProxies'
  | 'policy'
>;

/** Returns the options that settings decide. */
export function edgeOptionsOf({ settings, file }: EdgeConfig): SettledOptions {
  const listen = (port: number) => ({ host: settings.host, port });
  return {
    proxy: listen(settings.proxyPort),
    grpc: listen(settings.grpcPort),
    tunnel: listen(settings.tunnelPort),
    grpcPlaintext: plaintextAddress(settings),
    baseDomain: settings.baseDomain,
    redirect: settings.redirectPort === undefined ? undefined : listen(settings.redirectPort),
    publicUrls: { scheme: settings.publicScheme, port: settings.publicPort },
    limits: edgeLimits(settings),
    trustedProxies: settings.trustedProxies,
    policy: edgePolicyOf(settings, file.config.server),
  };
}

function plaintextAddress({ grpcPlaintextHost: host, grpcPlaintextPort: port }: EdgeSettings) {
  return port === undefined ? undefined : { host, port };
}
