/** The management API of an edge as a server. */
import { type HttpAddress, type HttpServer, startHttpServer } from './http-server.ts';
import { createManagementApp, type ManagementRoutes } from './management-app.ts';
import type { ManagementPort } from './management-port.ts';

/** Where and under which names the API answers. */
export interface ManagementOptions extends HttpAddress {
  /** Host names besides loopback names and IP addresses. */
  readonly names: readonly string[];
  /** What is served besides. */
  readonly routes?: readonly ManagementRoutes[];
}

/** Starts the API. Resolves and rejects as {@link startHttpServer} does. */
export async function startManagementServer(edge: ManagementPort, options: ManagementOptions): Promise<HttpServer> {
  return startHttpServer(createManagementApp(edge, options.names, options.routes), options);
}
