/** The callers over real sockets: what counts as an answer, as a failure of which kind, and on how many connections. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../src/load/caller.ts';
import type { FailureKind } from '../../src/load/failure-kind.ts';
import { HttpCaller } from '../../src/load/http-caller.ts';
import { startLoadOrigin } from '../../src/load/load-origin.ts';
import type { Traffic } from '../../src/load/load-record.ts';
import { type RequestOptions, requestTemplate } from '../../src/load/request-template.ts';
import { WebSocketCaller } from '../../src/load/websocket-caller.ts';

interface Answered {
  readonly status: number;
  readonly failure: FailureKind | undefined;
}

function call(caller: Caller): Promise<Answered> {
  return new Promise((resolve) => caller.call((status, failure) => resolve({ status, failure })));
}

const open: (Server | Caller)[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** A server that answers each request (each piece of octets) with the next of `answers`, and counts connections. */
async function scripted(...answers: readonly (string | ((socket: Socket) => void))[]) {
  const seen = { connections: 0, requests: '' };
  const left = [...answers];
  const server = createServer((socket) => {
    seen.connections += 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      seen.requests += chunk.toString('latin1');
      const answer = left.shift();
      if (typeof answer === 'string') socket.write(answer);
      else answer?.(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return { seen, port: (server.address() as AddressInfo).port };
}

function httpCaller(port: number, change: Partial<RequestOptions> = {}) {
  const keepAlive = change.keepAlive ?? true;
  const traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
  const request = requestTemplate({
    ...{ method: 'GET', path: '/', authority: 'app.test', fields: [], bodyBytes: 0, keepAlive },
    ...change,
  });
  const address = { address: '127.0.0.1', port, tls: undefined };
  const caller = new HttpCaller({ address, request, keepAlive, traffic: () => traffic });
  open.push(caller);
  return { caller, traffic };
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('HttpCaller', () => {
  it('sends request after request on one connection, and counts octets', async () => {
    const { port, seen } = await scripted(ok, 'HTTP/1.1 204 No Content\r\n\r\n', ok);
    const { caller, traffic } = httpCaller(port);
    await caller.open();
    expect([await call(caller), await call(caller), await call(caller)].map(({ status }) => status)).toEqual([
      200, 204, 200,
    ]);
    expect(seen.connections).toBe(1);
    expect(traffic).toEqual({ receivedBytes: 2 * ok.length + 27, sentBytes: seen.requests.length });
  });

  it('reads chunked bodies, interim heads, and bodies that end with the connection', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    const { port, seen } = await scripted(`HTTP/1.1 103 Early Hints\r\n\r\n${chunked}`, (socket) =>
      socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'),
    );
    const { caller } = httpCaller(port);
    expect(await call(caller)).toEqual({ status: 200, failure: undefined });
    expect(await call(caller)).toEqual({ status: 200, failure: undefined });
    expect(seen.connections).toBe(1);
  });

  it.each([
    ['closes', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ])('takes a new connection after an answer that %s', async (_what, answer) => {
    const { port, seen } = await scripted(answer, ok);
    const { caller } = httpCaller(port);
    expect([(await call(caller)).failure, (await call(caller)).failure]).toEqual([undefined, undefined]);
    expect(seen.connections).toBe(2);
  });

  it('takes a new connection for each request without keep-alive, and says so', async () => {
    const { port, seen } = await scripted(ok, ok);
    const { caller } = httpCaller(port, { keepAlive: false });
    await call(caller);
    await call(caller);
    expect(seen.connections).toBe(2);
    expect(seen.requests.match(/Connection: close/g)).toHaveLength(2);
  });

  it.each<[string, FailureKind, string | ((socket: Socket) => void)]>([
    ['a status of 400 or above', 'status-503', 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'],
    ['a connection that closes before an answer', 'closed', (socket) => socket.end()],
    ['an answer cut short', 'incomplete', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort')],
    ['a reset', 'reset', (socket) => socket.resetAndDestroy()],
    ['an answer that is not HTTP', 'protocol', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['an upgrade that nobody asked for', 'protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('fails with its kind: %s; and goes on after it', async (_what, kind, answer) => {
    const { port } = await scripted(answer, ok);
    const { caller } = httpCaller(port);
    expect((await call(caller)).failure).toBe(kind);
    expect(await call(caller)).toEqual({ status: 200, failure: undefined });
  });

  it('fails with refused where nothing listens', async () => {
    const { port } = await scripted();
    for (const each of open.splice(0)) each.close();
    const { caller } = httpCaller(port);
    await caller.open();
    expect(await call(caller)).toEqual({ status: 0, failure: 'refused' });
  });

  it('does not tell of a call that was aborted', async () => {
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { port } = await scripted(() => arrive(), ok);
    const { caller } = httpCaller(port);
    let told = 0;
    caller.call(() => {
      told += 1;
    });
    await arrived;
    caller.abort();
    expect(await call(caller)).toMatchObject({ failure: undefined });
    expect(told).toBe(0);
  });
});

describe('against the origin of a load', () => {
  const silent = { onArrival: () => undefined, onDeparture: () => undefined };

  it('downloads and uploads bodies of any size', async () => {
    await using server = await startLoadOrigin(silent);
    const download = httpCaller(server.port, { path: '/bytes/3000000' });
    expect(await call(download.caller)).toEqual({ status: 200, failure: undefined });
    expect(download.traffic.receivedBytes).toBeGreaterThan(3_000_000);
    const upload = httpCaller(server.port, { method: 'POST', path: '/bytes/0', bodyBytes: 3_000_000 });
    expect(await call(upload.caller)).toEqual({ status: 200, failure: undefined });
    expect(upload.traffic.sentBytes).toBeGreaterThan(3_000_000);
  });

  it('makes echo round trips over one WebSocket', async () => {
    await using server = await startLoadOrigin(silent);
    const traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
    const caller = new WebSocketCaller({
      ...{ address: { address: '127.0.0.1', port: server.port, tls: undefined }, authority: 'app.test', path: '/echo' },
      ...{ fields: [], messageBytes: 1000, traffic: () => traffic },
    });
    open.push(caller);
    await caller.open();
    for (let count = 0; count < 3; count += 1) expect(await call(caller)).toEqual({ status: 0, failure: undefined });
    expect(traffic).toEqual({ receivedBytes: 3000, sentBytes: 3000 });
  });

  it('tells when a client has left', async () => {
    let abort: () => void = () => undefined;
    let tell: (id: string) => void = () => undefined;
    const departed = new Promise<string>((resolve) => {
      tell = resolve;
    });
    await using server = await startLoadOrigin({ onArrival: () => abort(), onDeparture: ({ id }) => tell(id) });
    const { caller } = httpCaller(server.port, { path: '/hold-body', fields: [['X-Load-Id', 'seven']] });
    abort = () => caller.abort();
    caller.call(() => undefined);
    expect(await departed).toBe('seven');
  });

  it('fails with the status where a WebSocket is refused', async () => {
    const { port } = await scripted('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    const traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
    const caller = new WebSocketCaller({
      ...{ address: { address: '127.0.0.1', port, tls: undefined }, authority: 'app.test', path: '/' },
      ...{ fields: [], messageBytes: 4, traffic: () => traffic },
    });
    open.push(caller);
    expect(await call(caller)).toEqual({ status: 401, failure: 'status-401' });
  });
});
