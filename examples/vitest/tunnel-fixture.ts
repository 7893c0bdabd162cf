/**
 * A fixture for vitest: each test that asks for `publicUrl` gets a tunnel to `app`, the service under test.
 *
 * The edge runs inside the test process, on ports of its own choice. Point `openTunnel` at your edge instead to have the
 * real public address, for web hooks and for other machines.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openTunnel, type RunningEdge, startEdge } from 'giraffe-tunnel';
import { test as base } from 'vitest';

interface TunnelFixtures {
  /** The service under test; put your own here. */
  readonly app: Server;
  readonly edge: RunningEdge;
  /** Where clients reach `app`. */
  readonly publicUrl: string;
}

/** `test` with a service and its public URL. */
export const test = base.extend<TunnelFixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to know what a fixture needs.
  app: async ({}, use) => {
    const server = createServer((request, response) => response.end(`hello from ${request.headers.host}`));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await use(server);
    server.closeAllConnections();
    server.close();
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above.
  edge: async ({}, use) => {
    await using edge = await startEdge();
    await use(edge);
  },
  publicUrl: async ({ app, edge }, use) => {
    const { port } = app.address() as AddressInfo;
    const { server, token, ca } = edge;
    // The name localhost itself: Node does not resolve names below it on every system.
    await using tunnel = await openTunnel({ target: `127.0.0.1:${port}`, server, token, ca, domain: 'localhost' });
    await use(tunnel.url);
  },
});
