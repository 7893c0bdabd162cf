/** Starts the management API of an edge, and joins it with the edge, its tokens and its exporters. */
import type { EdgeSettings } from '../../config/edge-settings.ts';
import type { Edge } from '../../edge/edge-options.ts';
import type { HttpServer } from '../../management/http-server.ts';
import type { ManagementPort } from '../../management/management-port.ts';
import { startManagementServer } from '../../management/management-server.ts';
import { pageRoutes } from '../../management/page-files.ts';
import type { TokenStore } from '../../state/token-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRunner } from '../metrics/metrics-runner.ts';

/** What the API shows and asks. */
export interface ApiParts {
  readonly edge: Edge;
  readonly tokens: TokenStore;
  readonly metrics: MetricsRunner;
  readonly logger: Logger;
  /** Time by which credentials expire, in milliseconds since 1970. */
  readonly now: () => number;
  isReady(): boolean;
  /** Begins to drain; returns how long what is in flight has, in milliseconds. */
  drain(): number;
}

/** Starts the API where the settings say. Rejects with Node's listen error. */
export function startApi(settings: EdgeSettings, parts: ApiParts): Promise<HttpServer> {
  const names = [settings.baseDomain, settings.publicHost, settings.apiHost].filter((name) => name !== undefined);
  const address = { host: settings.apiHost, port: settings.apiPort };
  const routes = [pageRoutes('dashboard')];
  return startManagementServer(managementPort(parts), { ...address, names, routes });
}

function managementPort({ edge, tokens, logger, metrics, now, isReady, drain }: ApiParts): ManagementPort {
  return {
    isReady,
    now,
    drain,
    overview: () => edge.overview(),
    stats: () => edge.stats(),
    sessions: () => edge.sessions(),
    disconnect: (domain) => edge.disconnect(domain),
    snapshot: () => edge.snapshot(),
    subscribe: (listener) => edge.subscribe(listener),
    pullExporters: () => metrics.pullExporters,
    listTokens: () => tokens.listTokens(),
    createToken: ({ name, endpoints, expiresAt }) =>
      tokens.createToken({ name, endpoints, ...(expiresAt === undefined ? {} : { expiresAt }) }),
    revokeToken: (id) => tokens.revokeToken(id),
    noteFault: (error) => logger.error({ detail: error.message, stack: error.stack }, 'fault of the management API'),
    authenticateAdmin: (token) => tokens.authenticateAdmin(token),
  };
}
