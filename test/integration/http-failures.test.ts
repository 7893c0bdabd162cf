/** Origins that fail: the client learns the truth, before the first octet as a coded answer, after it as a broken transfer. */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startFullListener } from '../support/full-listener.ts';
import { onRequestHead, startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { httpTransports, startTunnelWorld, type TunnelWorld, testHost } from '../support/tunnel-world.ts';

const get = requestText('GET', '/', testHost, ['Accept: application/json']);

/** Expects one failure response with its code, status and Proxy-Status, and a connection that goes on. */
async function expectFailure(world: TunnelWorld, status: number, code: string, proxyStatus: string): Promise<void> {
  const answer = await world.client.get('/', { headers: { Accept: 'application/json' } });
  expect({ status: answer.status, ...JSON.parse(answer.text) }).toMatchObject({ status, code });
  expect(answer.headers['proxy-status']).toContain(`error=${proxyStatus}`);
  expect(answer.text).not.toContain('127.0.0.1');
}

describe.each(httpTransports)('over $name', ({ transport }) => {
  const bodies = [
    ['with a Content-Length', 'Content-Length: 1000\r\n\r\npart'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ['inside a chunk', 'Transfer-Encoding: chunked\r\n\r\nff\r\npart'],
    ['until close', 'Connection: close\r\n\r\npart'],
  ] as const;

  it.each(bodies)('H7 an origin reset in mid-body, %s, is a broken transfer', async (_name, rest) => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => socket.write(`HTTP/1.1 200 OK\r\n${rest}`));
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, get);
    await client.until('part');

    for (const socket of origin.open) socket.resetAndDestroy();

    expect(await client.ended).toBe('broken');
    expect(client.text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(world.edge.edge.stats()[0]).toMatchObject({ requests: 1, responses: 0, errors: 1, inFlight: 0 });
  });

  it.each(bodies.slice(0, 3))('H7 an origin that ends in mid-body, %s, is a broken transfer', async (_name, rest) => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => socket.write(`HTTP/1.1 200 OK\r\n${rest}`));
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, get);
    await client.until('part');

    for (const socket of origin.open) socket.end();

    expect(await client.ended).toBe('broken');
    expect(client.text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it.each(bodies.slice(0, 3))(
    'H7 head, part of a body and FIN in one packet, %s: broken, or a 502',
    async (_n, rest) => {
      await using origin = await startSocketOrigin((socket) => {
        onRequestHead(socket, () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
      });
      await using world = await startTunnelWorld(origin, { transport });
      using client = await rawClient(world.port, `GET / HTTP/1.1\r\nHost: ${testHost}\r\nConnection: close\r\n\r\n`);

      const end = await client.ended.then((how) => `${how} ${client.text.slice(0, 12)}`);

      expect(end).toMatch(/^(?:broken HTTP\/1\.1 200|fin HTTP\/1\.1 502|broken HTTP\/1\.1 502)/);
    },
  );

  it('H7 an HTTP/1.0 client of a broken chunked body gets an RST, not an end', async () => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'));
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, `GET / HTTP/1.0\r\nHost: ${testHost}\r\n\r\n`);
    await client.until('part');

    for (const socket of origin.open) socket.destroy();

    expect(await client.ended).toBe('broken');
  });

  it('H7 an origin that refuses is a 502 with its code', async () => {
    const origin = await startSocketOrigin(() => {});
    await origin[Symbol.asyncDispose]();
    await using world = await startTunnelWorld(origin, { transport });

    await expectFailure(world, 502, 'GIR_ERR_ORIGIN_REFUSED', 'connection_refused');
    await expectFailure(world, 502, 'GIR_ERR_ORIGIN_REFUSED', 'connection_refused');
  });

  it('H7 an origin that was down serves again as soon as it is up', async () => {
    const gone = await startSocketOrigin(() => {});
    await gone[Symbol.asyncDispose]();
    await using world = await startTunnelWorld(gone, { transport });
    await expectFailure(world, 502, 'GIR_ERR_ORIGIN_REFUSED', 'connection_refused');

    await using _again = await startHttpOrigin((_request, response) => response.end('back'), gone.port);

    expect((await world.client.get('/')).text).toBe('back');
  });

  it.each([
    ['ends', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['ends behind an interim head', (socket: Socket) => socket.end('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')],
  ])('H7 an origin that %s before its answer is a 502', async (_name, answer) => {
    await using origin = await startSocketOrigin((socket) => onRequestHead(socket, () => answer(socket)));
    await using world = await startTunnelWorld(origin, { transport });

    const got = await world.client.send('POST', '/', 'x', { headers: { Accept: 'application/json' } });

    expect({ status: got.status, code: JSON.parse(got.text).code }).toMatchObject({ status: 502 });
    expect(JSON.parse(got.text).code).toMatch(/^GIR_ERR_(?:ORIGIN_CLOSED|RESPONSE_INCOMPLETE)$/);
  });

  it('H7 an origin that ends inside its head is a 502', async () => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => socket.end('HTTP/1.1 200 OK\r\nContent-Le'));
    });
    await using world = await startTunnelWorld(origin, { transport });

    await expectFailure(world, 502, 'GIR_ERR_RESPONSE_INCOMPLETE', 'http_response_incomplete');
  });

  it('hardening 8: an origin that accepts and never answers is a 504, and its socket is closed', async () => {
    await using origin = await startSocketOrigin((socket) => socket.resume());
    await using world = await startTunnelWorld(origin, { transport, limits: { requestTimeoutMs: 300 } });

    await expectFailure(world, 504, 'GIR_ERR_RESPONSE_TIMEOUT', 'http_response_timeout');

    await eventually('the origin is told', () => [...origin.open].every((socket) => socket.readableEnded));
  });

  it('hardening 8: interim heads do not keep a silent origin alive for ever', async () => {
    await using origin = await startSocketOrigin((socket) => {
      socket.resume();
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
      socket.on('end', () => socket.destroy());
    });
    await using world = await startTunnelWorld(origin, { transport, limits: { requestTimeoutMs: 500 } });

    await expectFailure(world, 504, 'GIR_ERR_RESPONSE_TIMEOUT', 'http_response_timeout');
  });

  it('hardening 8: an origin that cannot be connected to is a 504 after the connect time-out', async () => {
    await using listener = await startFullListener();
    await using world = await startTunnelWorld(
      { target: `127.0.0.1:${listener.port}` },
      { transport, agent: { originConnectTimeoutMs: 300 } },
    );

    await expectFailure(world, 504, 'GIR_ERR_ORIGIN_CONNECT_TIMEOUT', 'connection_timeout');
    await world.agent.event('origin', ({ error }) => error?.code === 'GIR_ERR_ORIGIN_CONNECT_TIMEOUT');
  });

  it('hardening 8: an upload that stops is a 408, and the origin’s socket is closed', async () => {
    await using origin = await startSocketOrigin((socket) => socket.resume());
    await using world = await startTunnelWorld(origin, { transport, limits: { bodyIdleTimeoutMs: 300 } });
    using client = await rawClient(world.port, requestText('POST', '/', testHost, ['Content-Length: 100']));
    client.socket.write('some');

    expect(await client.ended).toBe('fin');

    expect(client.text).toMatch(/^HTTP\/1\.1 408 /);
    expect(client.text).toContain('GIR_ERR_REQUEST_TIMEOUT');
    await eventually('the origin is told', () => [...origin.open].every((socket) => socket.readableEnded));
  });

  it('hardening 8: a slow upload that goes on is not cut, however long it takes', async () => {
    await using origin = await startHttpOrigin((request, response) => {
      request.resume().on('end', () => response.end('got it'));
    });
    await using world = await startTunnelWorld(origin, {
      transport,
      limits: { bodyIdleTimeoutMs: 1200, requestTimeoutMs: 1200 },
    });
    const { outgoing, answer } = world.client.open('POST', '/', { headers: { 'Content-Length': '8' } });
    for (let octet = 0; octet < 8; octet += 1) {
      outgoing.write('x');
      await pause(200);
    }
    outgoing.end();

    expect((await answer).statusCode).toBe(200);
  });

  it('hardening 8: a client that takes nothing of its answer is cut off', async () => {
    await using origin = await startHttpOrigin((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    await using world = await startTunnelWorld(origin, { transport, limits: { bodyIdleTimeoutMs: 500 } });
    using client = await rawClient(world.port, get, { keeps: false });
    client.socket.pause();

    await eventually('the origin is told', () => origin.connections === 1 && origin.open.size === 0);

    await eventually('the exchange is over', () => world.edge.edge.stats()[0]?.inFlight === 0);
  });

  it.each([
    ['for an agent that does not come', { reconnectGraceMs: 200 }],
    ['for a place that does not become free', { maxStreams: 1, requestTimeoutMs: 300 }],
  ])('H7 a connection serves on after a request with a body that waited in vain %s', async (_name, limits) => {
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/endless') response.write('begun');
      else response.end('good');
    });
    await using world = await startTunnelWorld(origin, { transport, limits });
    using holder = await rawClient(world.port, requestText('GET', '/endless', testHost));
    await holder.until('begun');
    await ('reconnectGraceMs' in limits ? world.agent[Symbol.asyncDispose]() : undefined);
    using client = await rawClient(world.port, `${requestText('POST', '/', testHost, ['Content-Length: 4'])}body`);
    expect(await client.until('Request id')).toMatch(/^HTTP\/1\.1 503 /);

    client.socket.write(requestText('GET', '/', 'unknown.test'));

    await client.until('GIR_ERR_ENDPOINT_UNKNOWN');
  });

  // What an HTTP/1.0 client gets of a body without length has no end but the connection's.
  const oldGet = `GET / HTTP/1.0\r\nHost: ${testHost}\r\n\r\n`;

  it('H7 an answer that the end of the edge cuts does not look whole', async () => {
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('part');
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, oldGet);
    await client.until('part');

    await world.edge[Symbol.asyncDispose]();

    expect(await client.ended).toBe('broken');
  });

  it('H7 an answer that stands still when its client has half-closed is cut visibly', async () => {
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('part');
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, oldGet);
    await client.until('part');

    client.socket.end();

    expect(await client.ended).toBe('broken');
  });
});
