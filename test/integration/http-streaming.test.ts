/** Bodies in motion: large ones pass with flat memory, live ones at once, and every kind of end arrives as it was. */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { note } from '../support/note.ts';
import { onRequestHead, startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { watchHeldBytes } from '../support/resources.ts';
import { httpTransports, startTunnelWorld, testHost } from '../support/tunnel-world.ts';

const mib = 1024 * 1024;
const blockBytes = 256 * 1024;

/** Writes `total` octets of which no two blocks are equal, at the pace of the reader, and hashes them. */
async function pump(destination: Writable, total: number, hash: Hash): Promise<void> {
  const noise = randomBytes(blockBytes * 2);
  for (let sent = 0, index = 0; sent < total; sent += blockBytes, index += 1) {
    const start = (index * 4099) % blockBytes;
    const block = noise.subarray(start, start + Math.min(blockBytes, total - sent));
    hash.update(block);
    if (!destination.write(block)) await new Promise((resolve) => destination.once('drain', resolve));
  }
  destination.end();
}

// Over both transports; test/e2e/large-bodies.test.ts carries the full GiB, with edge and agent in processes of their own.
const bodyBytes = 64 * mib;

describe.each(httpTransports)('over $name', ({ transport, carrier }) => {
  it('H3 a large body streams down with equal hash and flat memory', async () => {
    const sent = createHash('sha256');
    await using origin = await startHttpOrigin((_request, response) => {
      response.setHeader('Content-Length', bodyBytes);
      void pump(response, bodyBytes, sent);
    });
    await using world = await startTunnelWorld(origin, { transport });
    const received = createHash('sha256');
    const growth = watchHeldBytes();
    const startedMs = performance.now();

    const { outgoing, answer } = world.client.open('GET', '/');
    outgoing.end();
    const response = await answer;
    for await (const chunk of response) received.update(chunk as Buffer);

    const rate = bodyBytes / mib / ((performance.now() - startedMs) / 1000);
    const grownBytes = growth();
    note(`H3 ${carrier} down: ${Math.round(rate)} MiB/s, memory +${Math.round(grownBytes / mib)} MiB`);
    expect(response.complete).toBe(true);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(grownBytes).toBeLessThan(32 * mib);
  }, 120_000);

  it('H3 a large body streams up with equal hash and flat memory', async () => {
    const received = createHash('sha256');
    await using origin = await startHttpOrigin(async (request, response) => {
      for await (const chunk of request) received.update(chunk as Buffer);
      response.end(received.digest('hex'));
    });
    await using world = await startTunnelWorld(origin, { transport });
    const sent = createHash('sha256');
    const growth = watchHeldBytes();
    const startedMs = performance.now();

    // Its length is not announced: the body is chunked.
    const { outgoing, answer } = world.client.open('PUT', '/');
    await pump(outgoing, bodyBytes, sent);
    const chunks: Buffer[] = [];
    for await (const chunk of await answer) chunks.push(chunk as Buffer);

    const rate = bodyBytes / mib / ((performance.now() - startedMs) / 1000);
    const grownBytes = growth();
    note(`H3 ${carrier} up: ${Math.round(rate)} MiB/s, memory +${Math.round(grownBytes / mib)} MiB`);
    expect(Buffer.concat(chunks).toString()).toBe(sent.digest('hex'));
    expect(grownBytes).toBeLessThan(32 * mib);
  }, 120_000);

  it('H3 a body streams up and down at the same time', async () => {
    await using origin = await startHttpOrigin((request, response) => {
      request.pipe(response);
    });
    await using world = await startTunnelWorld(origin, { transport });
    const sent = createHash('sha256');
    const received = createHash('sha256');

    const { outgoing, answer } = world.client.open('POST', '/');
    const [response] = await Promise.all([
      answer.then(async (incoming) => {
        for await (const chunk of incoming) received.update(chunk as Buffer);
        return incoming;
      }),
      pump(outgoing, bodyBytes / 2, sent),
    ]);

    expect(response.complete).toBe(true);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  it('H3 an origin that does not read stops its client’s upload, with flat memory', async () => {
    await using origin = await startSocketOrigin((socket) => {
      socket.once('data', () => socket.pause());
    });
    await using world = await startTunnelWorld(origin, { transport });
    const growth = watchHeldBytes();
    using client = await rawClient(world.port, requestText('POST', '/', testHost, [`Content-Length: ${1024 * mib}`]));
    const block = Buffer.alloc(mib, 'u');
    let taken = 0;
    const write = (): void => {
      while (taken < 1024 && !client.socket.writableNeedDrain) {
        client.socket.write(block);
        taken += 1;
      }
    };
    client.socket.on('drain', write);
    write();
    let before = -1;
    while (taken !== before) {
      before = taken;
      await pause(500);
    }

    expect(taken).toBeLessThan(100);
    expect(growth()).toBeLessThan(32 * mib);
  });

  it('H5 each server-sent event is there before the next one is written', async () => {
    let response: ServerResponse | undefined;
    await using origin = await startHttpOrigin((_request, opened) => {
      opened.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      opened.flushHeaders();
      response = opened;
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('GET', '/events', testHost));
    await client.until('\r\n\r\n');
    const delays: number[] = [];

    for (let event = 0; event < 100; event += 1) {
      const writtenMs = performance.now();
      response?.write(`data: event-${event};\n\n`);
      await client.until(`event-${event};`);
      delays.push(performance.now() - writtenMs);
    }

    delays.sort((a, b) => a - b);
    note(`H5 ${carrier}: events took ${delays[50]?.toFixed(2)} ms in the median, ${delays[99]?.toFixed(2)} ms at most`);
    // Of all but those in which the machine was busy with something else.
    expect(delays[50]).toBeLessThan(20);
  });

  it('H5 an event stream that is silent for longer than every time-out is not cut', async () => {
    let response: ServerResponse | undefined;
    await using origin = await startHttpOrigin((_request, opened) => {
      opened.writeHead(200, { 'Content-Type': 'text/event-stream' });
      opened.write('data: first\n\n');
      response = opened;
    });
    await using world = await startTunnelWorld(origin, {
      transport,
      limits: {
        requestTimeoutMs: 1200,
        bodyIdleTimeoutMs: 1200,
        keepAliveTimeoutMs: 1200,
        headTimeoutMs: 1200,
        keepAliveMs: 200,
        reconnectGraceMs: 100,
      },
    });
    using client = await rawClient(world.port, requestText('GET', '/events', testHost));
    await client.until('first');

    await pause(2500);
    response?.write('data: second\n\n');

    await client.until('second');
    expect(world.agent.events.filter(({ type }) => type === 'reconnecting')).toEqual([]);
  });

  it('H5 a thousand open event streams are all live', async () => {
    const streams: ServerResponse[] = [];
    await using origin = await startHttpOrigin((request, opened) => {
      opened.writeHead(200, { 'Content-Type': 'text/event-stream' });
      opened.write(`data: hello-${request.url};\n\n`);
      streams.push(opened);
    });
    await using world = await startTunnelWorld(origin, { transport });
    const clients = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => rawClient(world.port, requestText('GET', `/${index}`, testHost))),
    );
    await Promise.all(clients.map((client, index) => client.until(`hello-/${index};`)));

    for (const stream of streams) stream.write('data: to all\n\n');

    await Promise.all(clients.map((client) => client.until('to all')));
    for (const client of clients) client.socket.destroy();
    await eventually('all streams are closed at the origin', () => streams.every(({ closed }) => closed));
    await eventually('none is in flight', () => world.edge.edge.stats()[0]?.inFlight === 0);
  });

  it('H6 a chunked body that ends 300 ms after its last octet ends then, and not before', async () => {
    let hasEnded = false;
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('last octet');
      setTimeout(() => {
        hasEnded = true;
        response.end();
      }, 300);
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('GET', '/', testHost));

    await client.until('last octet');
    expect(hasEnded).toBe(false);
    expect(client.text).not.toContain('\r\n0\r\n\r\n');
    await client.until('\r\n0\r\n\r\n');
    expect(hasEnded).toBe(true);
  });

  it('H6 the trailers of a late end arrive', async () => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => {
        socket.write('HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n');
        setTimeout(() => socket.write('0\r\nX-Sum: 42\r\n\r\n'), 300);
      });
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('GET', '/', testHost, ['TE: trailers', 'Connection: TE']));

    await client.until('body');
    await client.until('\r\n0\r\nX-Sum: 42\r\n\r\n');
  });

  it.each([
    [
      'an empty chunked body',
      'GET',
      '200 OK',
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /Transfer-Encoding: chunked\r\n(?:[^\r]+\r\n)*\r\n0\r\n\r\n$/i,
    ],
    ['a body of zero octets', 'GET', '200 OK', 'Content-Length: 0\r\n\r\n', /Content-Length: 0\r\n[\s\S]*\r\n\r\n$/],
    [
      'HEAD with Content-Length',
      'HEAD',
      '200 OK',
      'Content-Length: 12345\r\n\r\n',
      /Content-Length: 12345\r\n[\s\S]*\r\n\r\n$/,
    ],
    [
      'HEAD with chunks announced',
      'HEAD',
      '200 OK',
      'Transfer-Encoding: chunked\r\n\r\n',
      /^(?![\s\S]*\r\n0\r\n)[\s\S]*\r\n\r\n$/,
    ],
    ['HEAD without any length', 'HEAD', '200 OK', 'X-A: b\r\n\r\n', /^(?![\s\S]*\r\n0\r\n)[\s\S]*\r\n\r\n$/],
    [
      '204',
      'GET',
      '204 No Content',
      'X-A: b\r\n\r\n',
      /^(?![\s\S]*(?:content-length|transfer-encoding))[\s\S]*\r\n\r\n$/i,
    ],
    [
      '304 with Content-Length',
      'GET',
      '304 Not Modified',
      'Content-Length: 99\r\n\r\n',
      /Content-Length: 99\r\n[\s\S]*\r\n\r\n$/,
    ],
  ] as const)('H6 %s arrives as it was, and the connection goes on', async (_name, method, status, rest, expected) => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, (head) => {
        socket.write(
          head.includes('/next') ? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext' : `HTTP/1.1 ${status}\r\n${rest}`,
        );
      });
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText(method, '/', testHost));
    await client.until('\r\n\r\n');
    const marker = requestText('GET', '/next', testHost);
    client.socket.write(marker);
    const all = await client.until('\r\n\r\nnext');

    const first = all.slice(0, all.indexOf('HTTP/1.1 200 OK', 10));
    expect(first).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
    expect(first).toMatch(expected);
    expect(origin.connections).toBe(1);
  });

  it('H6 a body without any length is whole: chunked for HTTP/1.1, until close for HTTP/1.0', async () => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => socket.end('HTTP/1.1 200 OK\r\n\r\nbody without length'));
    });
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await world.client.get('/');
    expect(answer.text).toBe('body without length');
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    using old = await rawClient(world.port, `GET / HTTP/1.0\r\nHost: ${testHost}\r\n\r\n`);
    expect(await old.ended).toBe('fin');
    expect(old.text).toMatch(/\r\n\r\nbody without length$/);
  });

  it('H6 an empty body without any length is an empty body', async () => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, () => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    });
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await world.client.get('/');
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' });
  });
});
