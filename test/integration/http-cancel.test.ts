/** Clients that leave: the origin learns it at once, whatever the method and the moment, and nobody else does. */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { note } from '../support/note.ts';
import { type Origin, onRequestHead, startSocketOrigin } from '../support/origins.ts';
import { type RawClient, rawClient, requestText } from '../support/raw-client.ts';
import { httpTransports, startTunnelWorld, type TunnelWorld, testHost } from '../support/tunnel-world.ts';

const mib = 1024 * 1024;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

/** How a client can leave: closing as browsers do, or with an RST. */
const ways = [
  ['closes', (socket: Socket) => socket.destroy()],
  ['resets', (socket: Socket) => socket.resetAndDestroy()],
] as const;

/** Sends body octets for ever, at the pace of the reader. */
function pour(socket: Socket): void {
  const block = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
  const more = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}

/**
 * An origin that reads whatever comes and answers by path: /silent never, /endless with a body without end, /half with
 * the beginning of one.
 */
function startPatientOrigin(): Promise<Origin> {
  return startSocketOrigin((socket) => {
    socket.on('end', () => socket.destroy());
    onRequestHead(socket, (head) => {
      if (head.includes(' /endless ')) {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        pour(socket);
      } else if (head.includes(' /half ')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf');
      } else if (head.includes(' /small ')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall');
      }
    });
  });
}

/** Waits until a new connection is at the origin and has sent something, and returns it. */
async function newest(origin: Origin, before: ReadonlySet<Socket>): Promise<Socket> {
  const isNew = (socket: Socket): boolean => !before.has(socket) && socket.bytesRead > 0;
  await eventually('the request is at the origin', () => [...origin.open].some(isNew));
  return [...origin.open].find(isNew) as Socket;
}

/** Length of a tick of {@link leave}, in milliseconds. */
const tickMs = 5;

/**
 * Lets a client leave and returns how long it took until its origin's socket was closed: in milliseconds, by timers of the
 * loop that all this runs in. A machine that is busy with something else is late with both and changes nothing.
 */
async function leave(client: RawClient, atOrigin: Socket, way: (socket: Socket) => void): Promise<number> {
  const closed = new Promise<void>((resolve) => {
    if (atOrigin.closed) resolve();
    else atOrigin.once('close', () => resolve());
  });
  let ticks = 0;
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    ticks += 1;
    timer = setTimeout(tick, tickMs);
  };
  timer = setTimeout(tick, tickMs);
  way(client.socket);
  await closed;
  clearTimeout(timer);
  return ticks * tickMs;
}

/** Puts a client through a scene up to its end and returns the milliseconds until the origin knew. */
async function cancelled(
  world: TunnelWorld,
  origin: Origin,
  way: (socket: Socket) => void,
  { method, path, fields = [], body, waitsFor }: Scene,
): Promise<number> {
  const before = new Set(origin.open);
  using client = await rawClient(world.port, requestText(method, path, testHost, fields), {
    keeps: waitsFor !== undefined,
  });
  if (body !== undefined) client.socket.write(body);
  const atOrigin = await newest(origin, before);
  if (waitsFor !== undefined) await client.until(waitsFor);
  else await pause(30);
  return leave(client, atOrigin, way);
}

/** What is promised, in milliseconds, between a client's leaving and its origin's knowing. */
const promisedMs = 100;

interface Scene {
  readonly method: string;
  readonly path: string;
  readonly fields?: readonly string[];
  readonly body?: string;
  /** What the client reads before it leaves. */
  readonly waitsFor?: string;
}

const upload = { fields: ['Content-Length: 100000'], body: 'x'.repeat(20_000) } as const;
const chunkedUpload = { fields: ['Transfer-Encoding: chunked'], body: `4e20\r\n${'x'.repeat(20_000)}\r\n` } as const;

/** All moments in which a client of a method can leave. */
function scenes(method: string): readonly Scene[] {
  const common: Scene[] = [
    { method, path: '/silent' },
    { method, path: '/silent', ...upload },
    { method, path: '/silent', ...chunkedUpload },
  ];
  if (method === 'HEAD') return common;
  return [
    ...common,
    { method, path: '/half', waitsFor: 'half' },
    { method, path: '/half', ...upload, waitsFor: 'half' },
  ];
}

describe.each(httpTransports)('over $name', ({ transport, carrier }) => {
  it.each(methods)('H8 a %s that its client leaves is over at the origin at once, at any moment', async (method) => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport });
    const tookMs: number[] = [];

    for (const scene of scenes(method)) {
      for (const [, way] of ways) tookMs.push(await cancelled(world, origin, way, scene));
    }

    note(`H8 ${carrier} ${method}: ${tookMs.join(', ')} ms until the origin knew`);
    expect(Math.max(...tookMs)).toBeLessThan(promisedMs);
    await eventually('nothing is in flight', () => world.edge.edge.stats()[0]?.inFlight === 0);
    expect((await world.client.get('/small')).text).toBe('small');
    const { requests } = world.edge.edge.stats()[0] ?? {};
    expect(world.edge.edge.stats()[0]).toMatchObject({ errors: tookMs.length, responses: 1 });
    expect(requests).toBe(tookMs.length + 1);
  });

  it.each(ways)('H8 a client that %s in mid-download of an endless body stops it', async (_name, way) => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('GET', '/endless', testHost), { keeps: false });
    const atOrigin = await newest(origin, new Set());
    await eventually('it runs', () => client.receivedBytes > 4 * mib);

    expect(await leave(client, atOrigin, way)).toBeLessThan(promisedMs);
  });

  it.each(ways)('H8 a client that has stopped reading and then %s stops it', async (_name, way) => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('GET', '/endless', testHost), { keeps: false });
    const atOrigin = await newest(origin, new Set());
    client.socket.once('data', () => client.socket.pause());
    let sent = -1;
    await eventually('everything is full', async () => {
      const before = sent;
      sent = atOrigin.bytesWritten - atOrigin.writableLength;
      await pause(200);
      return sent === before;
    });

    expect(await leave(client, atOrigin, way)).toBeLessThan(promisedMs);
  });

  it.each([
    // Its FIN stands behind what the system has buffered, and all of that has to pass first.
    [...ways[0], 5000],
    [...ways[1], promisedMs],
  ] as const)('H8 a client that %s in mid-upload of an endless body stops it', async (_name, way, limitMs) => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('PUT', '/silent', testHost, ['Transfer-Encoding: chunked']));
    pour(client.socket);
    const atOrigin = await newest(origin, new Set());
    await eventually('it runs', () => atOrigin.bytesRead > 4 * mib);

    const tookMs = await leave(client, atOrigin, way);

    note(`H8 ${carrier} in mid-upload: ${tookMs} ms until the origin knew`);
    expect(tookMs).toBeLessThan(limitMs);
  });

  it('H8 a client that resets an upload which its origin does not read stops it', async () => {
    await using origin = await startSocketOrigin((socket) => {
      socket.once('data', () => {
        socket.pause();
        // A paused socket does not see its own end: it is looked at.
        const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
        socket.once('close', () => clearInterval(timer));
      });
    });
    await using world = await startTunnelWorld(origin, { transport });
    using client = await rawClient(world.port, requestText('PUT', '/', testHost, ['Transfer-Encoding: chunked']));
    pour(client.socket);
    const atOrigin = await newest(origin, new Set());
    await pause(500);

    expect(await leave(client, atOrigin, (socket) => socket.resetAndDestroy())).toBeLessThan(promisedMs);
  });

  it('H8 clients that leave beside a bulk transfer of the same session reach the origin at once', async () => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport });
    using bulk = await rawClient(world.port, requestText('GET', '/endless', testHost), { keeps: false });
    await eventually('the transfer runs', () => bulk.receivedBytes > 16 * mib);
    const tookMs: number[] = [];

    for (const method of methods) {
      for (const scene of scenes(method).slice(0, 2)) {
        for (const [, way] of ways) tookMs.push(await cancelled(world, origin, way, scene));
      }
    }

    note(`H8 ${carrier} beside bulk: ${Math.max(...tookMs)} ms at most until the origin knew`);
    expect(Math.max(...tookMs)).toBeLessThan(promisedMs);
    const passedBytes = bulk.receivedBytes;
    await eventually('the transfer goes on', () => bulk.receivedBytes > passedBytes + mib);
  });

  it('H8 a client that leaves while its request waits for an agent is forgotten', async () => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport, limits: { reconnectGraceMs: 20_000 } });
    await world.agent[Symbol.asyncDispose]();
    using client = await rawClient(world.port, requestText('POST', '/silent', testHost, ['Content-Length: 4']));
    client.socket.write('body');
    await eventually('it waits', () => world.edge.edge.stats()[0]?.inFlight === 1);

    client.socket.resetAndDestroy();

    await eventually('it is forgotten', () => world.edge.edge.stats()[0]?.inFlight === 0);
    expect(origin.connections).toBe(0);
  });

  it('H8 a client that leaves while its request waits for a place in the session is forgotten', async () => {
    await using origin = await startPatientOrigin();
    await using world = await startTunnelWorld(origin, { transport, limits: { maxStreams: 1 } });
    using first = await rawClient(world.port, requestText('GET', '/silent', testHost));
    await eventually('the place is taken', () => origin.open.size === 1);
    using second = await rawClient(world.port, requestText('GET', '/second', testHost));
    await eventually('it waits', () => world.edge.edge.stats()[0]?.inFlight === 2);

    second.socket.resetAndDestroy();
    await eventually('it is forgotten', () => world.edge.edge.stats()[0]?.inFlight === 1);
    first.socket.resetAndDestroy();

    expect((await world.client.get('/small')).text).toBe('small');
  });
});
