/** Hardening 2: clients that give up by the thousand, each of them at the origin already: nobody else notices. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { eventually } from '../support/eventually.ts';
import { note } from '../support/note.ts';
import { onRequestHead, startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { RawHttp2Client } from '../support/raw-http2.ts';
import { startLoad } from '../support/steady-load.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { httpTransports, startTunnelWorld, type TunnelWorld, testHost } from '../support/tunnel-world.ts';

const silent = { logger: silentLogger };
/** Clients beside those that abort. They pause, since they would have most of the time of this process otherwise. */
const beside = { path: '/fine', clients: 10, pauseMs: 5 };

/** Expects the one session with the carriers that it began with, and books that agree. */
async function expectUnharmed({ edge, agent }: TunnelWorld, aborts: number, fine: number): Promise<void> {
  await eventually('nothing is in flight', () => edge.edge.stats()[0]?.inFlight === 0, 30_000);
  expect(edge.edge.stats()[0]).toMatchObject({
    sessions: 1,
    reconnects: 0,
    requests: aborts + fine,
    responses: fine,
    errors: aborts,
    codes: { GIR_ERR_CLIENT_GONE: aborts },
  });
  const lives = agent.events.map(({ type }) => type).filter((type) => type !== 'request' && type !== 'carrier');
  expect(lives).toEqual(['connecting', 'ready']);
}

/** Streams that a client has open at once, and rounds of them: what Node forgives one connection is 1,000 resets in a burst. */
const [streams, rounds] = [240, 4];
/** Connections at once. */
const clients = 4;

describe.each(httpTransports)('over $name', ({ transport, carrier }) => {
  // What 2,000 a second are in a minute, where Node's own HTTP/2 would end the tunnel; the TCP tunnel has none.
  const wanted = carrier === 'grpc' ? 120_000 : 30_000;

  it(`hardening 2: ${wanted} aborts over HTTP/2 disturb no other request and not the session`, async () => {
    let arrived = 0;
    let left = 0;
    await using origin = await startSocketOrigin((socket) => {
      socket.on('end', () => socket.destroy());
      onRequestHead(socket, (head) => {
        if (head.startsWith('GET /fine ')) return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
        arrived += 1;
        return socket.once('close', () => (left += 1));
      });
    });
    const certificate = await testCertificate();
    await using world = await startTunnelWorld(origin, {
      transport,
      edge: { proxyCertificate: certificate, ...silent },
      agent: silent,
    });
    // These are of the HTTP/1.1 on the same port.
    const steady = startLoad(world.port, { ...beside, ca: certificate.caPem });

    const startedMs = performance.now();
    let aborts = 0;
    while (aborts < wanted) {
      const dialled = Array.from({ length: clients }, () => RawHttp2Client.connect(world.port, certificate.caPem));
      const connections = await Promise.all(dialled);
      for (let round = 0; round < rounds; round += 1) {
        const opened = connections.map((client) => client.open(streams, '/hangs', testHost));
        aborts += clients * streams;
        await eventually('all are at the origin', () => arrived === aborts, 30_000);
        for (const [index, client] of connections.entries()) client.cancel(opened[index] ?? []);
        await eventually('all have left the origin', () => left === aborts, 30_000);
      }
      expect(connections.map(({ heard, isClosed }) => [heard, isClosed])).toEqual(Array(clients).fill([[], false]));
      for (const client of connections) client[Symbol.dispose]();
    }
    const tookMs = performance.now() - startedMs;
    await steady.stop();

    const rate = Math.round((aborts / tookMs) * 1000);
    note(`hardening 2 ${carrier}: ${aborts} aborts, ${rate} per second, beside ${steady.succeeded} answers`);
    expect(steady.failures).toEqual([]);
    expect(steady.succeeded).toBeGreaterThan(100);
    await expectUnharmed(world, aborts, steady.succeeded);
  }, 400_000);

  it('hardening 2: bursts of 1,000 aborts by RST, before the answer and in its middle, disturb nobody', async () => {
    const waiting = new Set<ServerResponse>();
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/fine') return void response.end('fine');
      waiting.add(response);
      response.once('close', () => waiting.delete(response));
      if (request.url === '/open') response.write('part');
    });
    await using world = await startTunnelWorld(origin, { transport, edge: silent, agent: silent });
    const steady = startLoad(world.port, beside);

    for (const path of ['/hangs', '/open']) {
      const burst = Array.from({ length: 1000 }, () =>
        rawClient(world.port, requestText('GET', path, testHost), { keeps: false }),
      );
      const aborting = await Promise.all(burst);
      await eventually('all are at the origin', () => waiting.size === 1000, 30_000);
      if (path === '/open') {
        await eventually('all have begun', () => aborting.every(({ receivedBytes }) => receivedBytes > 0), 30_000);
      }
      // All of a burst leave in one turn of the event loop.
      for (const { socket } of aborting) socket.resetAndDestroy();
      await eventually('all have left the origin', () => waiting.size === 0, 30_000);
    }
    await steady.stop();

    expect(steady.failures).toEqual([]);
    expect(steady.succeeded).toBeGreaterThan(20);
    await expectUnharmed(world, 2000, steady.succeeded);
  });

  it('hardening 2: clients that abort in the same packet as their request disturb nobody', async () => {
    await using origin = await startHttpOrigin((_request, response) => response.end('fine'));
    await using world = await startTunnelWorld(origin, { transport });
    for (let burst = 0; burst < 10; burst += 1) {
      const aborting = await Promise.all(Array.from({ length: 100 }, () => rawClient(world.port)));
      for (const { socket } of aborting) {
        socket.write(requestText('GET', '/', testHost));
        socket.resetAndDestroy();
      }
      expect((await world.client.get('/')).text).toBe('fine');
    }
    await eventually('nothing is in flight', () => world.edge.edge.stats()[0]?.inFlight === 0);
    expect(world.agent.events.filter(({ type }) => type === 'reconnecting' || type === 'mode')).toEqual([]);
  });
});
