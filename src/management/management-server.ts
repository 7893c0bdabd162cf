/** The listener of the management API: plain HTTP, with bounds, and closed once. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createManagementApp } from './management-app.ts';
import type { ManagementPort } from './management-port.ts';

const maxConnections = 256;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** Above the usual idle time of a proxy in front, 60 s, so that it never writes into a closing connection. */
const keepAliveTimeoutMs = 75_000;

/** Where and under which names the API answers. */
export interface ManagementOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Host names besides loopback names and IP addresses. */
  readonly names: readonly string[];
}

/** A listening API. */
export interface ManagementServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts the API and resolves when it accepts connections.
 *
 * Rejects with Node's listen error, `code` and `port` set, when it cannot listen.
 */
export async function startManagementServer(
  edge: ManagementPort,
  { host, port, names }: ManagementOptions,
): Promise<ManagementServer> {
  const app = createManagementApp(edge, names);
  const server = createServer(
    { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.maxConnections = maxConnections;
  await listening(server, host, port);
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => {
      closed ??= close(server);
      return closed;
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // Out of file descriptors, for example: what is open goes on, and accepting works again by itself.
      server.on('error', () => {});
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
