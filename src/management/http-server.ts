/** Listens for an HTTP application: plain HTTP, with bounds, and closed once. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';

const maxConnections = 256;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** Above the usual idle time of a proxy in front, 60 s, so that it never writes into a closing connection. */
const keepAliveTimeoutMs = 75_000;

/** Answers that are on their way have this long when the server closes, in milliseconds; streams of events never end. */
const farewellMs = 300;

/** Where to listen. */
export interface HttpAddress {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** A listening application. Disposing it ends its connections once their answers are out, and soon in any case. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number;
}

/** An application: one response for each request. */
export interface HttpApp {
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/**
 * Starts a server and resolves when it accepts connections.
 *
 * Rejects with Node's listen error, `code` and `port` set, when it cannot listen.
 */
export async function startHttpServer(app: HttpApp, { host, port }: HttpAddress): Promise<HttpServer> {
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

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), farewellMs);
  await closed;
  clearTimeout(cut);
}
