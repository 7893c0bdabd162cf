/** S5: floods of connections, strangers, streams, frames and credit, from all sides: coded, bounded, and nobody else is harmed. */
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startAttackWorld } from '../support/attack-world.ts';
import { eventually } from '../support/eventually.ts';
import {
  batchMessage,
  connectForgedGrpc,
  connectForgedTls,
  helloFrame,
  openForgedCall,
  wire,
} from '../support/forged-carrier.ts';
import { startForgedEdge } from '../support/forged-edge.ts';
import { converse, type RawClient, rawClient, statuses } from '../support/raw-client.ts';
import { rawFrame, windowPayload } from '../support/raw-frames.ts';
import { http2Frame, http2Preface } from '../support/raw-http2.ts';
import { startRecordingOrigin } from '../support/recording-origin.ts';
import { heldBytes, watchPeakBytes } from '../support/resources.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const mebibyte = 1024 * 1024;
const getA = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
const getForged = 'GET / HTTP/1.1\r\nHost: forged.test\r\n\r\n';

function closeAll(clients: readonly RawClient[]): void {
  for (const client of clients) client.socket.destroy();
}

/** Opens connections on which nothing is said. */
async function openSilent(port: number, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => rawClient(port, '', { halfOpen: false })));
}

async function expectServing(edge: TestEdge): Promise<void> {
  expect(statuses(await converse(edge.edge.ports.proxy, getA))).toEqual([200]);
}

describe('floods of client connections', () => {
  it('S5 above maxConnections one gets 503 with its code; those before it serve on; then it recovers', async () => {
    await using world = await startAttackWorld({ maxConnections: 20 });
    const held = await openSilent(world.port, 20);
    await eventually('the refusal', async () => statuses(await converse(world.port, getA))[0] === 503);
    const answer = await converse(world.port, getA);
    expect(answer).toContain('GIR_ERR_CONNECTION_LIMIT');
    const [first] = held;
    first?.send(getA);
    expect(await first?.until('ok')).toContain('HTTP/1.1 200');
    closeAll(held);
    await eventually('room again', async () => statuses(await converse(world.port, getA))[0] === 200);
  });

  it('S5 far above it connections are closed at once, and cost nothing', async () => {
    await using world = await startAttackWorld({ maxConnections: 10 });
    const flood = await openSilent(world.port, 1000);
    await eventually('the surplus is closed', () => flood.filter((client) => !client.isClosed).length <= 110);
    closeAll(flood);
    await eventually('room again', async () => statuses(await converse(world.port, getA))[0] === 200);
  });
});

describe('floods of strangers on the tunnel ports', () => {
  const ports = [
    ['4443', (edge: TestEdge) => edge.edge.ports.tunnel],
    ['4444', (edge: TestEdge) => edge.edge.ports.grpc],
  ] as const;

  it.each(ports)(
    'S5 %s: connections without a TLS handshake are dropped after the handshake time',
    async (_name, port) => {
      await using world = await startAttackWorld({ handshakeTimeoutMs: 500 });
      const flood = await openSilent(port(world.edge), 200);
      await Promise.all(flood.map((client) => client.closed));
      await expectServing(world.edge);
    },
  );

  it.each(ports)('S5 %s: half a TLS handshake is no way to stay', async (_name, port) => {
    await using world = await startAttackWorld({ handshakeTimeoutMs: 500 });
    const flood = await openSilent(port(world.edge), 50);
    // The beginning of a ClientHello that announces 512 octets.
    for (const client of flood) client.send(Buffer.from('1603010200010001fc0303', 'hex'));
    await Promise.all(flood.map((client) => client.closed));
    await expectServing(world.edge);
  });

  it.each(ports)(
    'S5 %s: above maxStrangers the oldest have to go, agents stay, and a new agent gets in',
    async (_name, port) => {
      await using world = await startAttackWorld({ maxStrangers: 50, handshakeTimeoutMs: 60_000 });
      const flood = await openSilent(port(world.edge), 300);
      await eventually('the oldest are gone', () => flood.filter((client) => !client.isClosed).length <= 50);
      expect(flood.slice(0, 200).every((client) => client.isClosed)).toBe(true);
      await expectServing(world.edge);
      await using _second = await startTestAgent(world.edge.edge.ports, 'b.test', `127.0.0.1:${world.origin.port}`);
      closeAll(flood);
    },
  );

  it('S5 TLS connections without HELLO are dropped, on both ports, and keep nobody out', async () => {
    await using world = await startAttackWorld({ handshakeTimeoutMs: 2000 });
    const { tunnel, grpc } = world.edge.edge.ports;
    const silent = await Promise.all([
      ...Array.from({ length: 30 }, () => connectForgedTls(tunnel)),
      ...Array.from({ length: 30 }, () => connectForgedTls(grpc, { ALPNProtocols: ['h2'] })),
    ]);
    await Promise.all(silent.map((carrier) => carrier.closed));
    await expectServing(world.edge);
  });

  it.each([
    ['a HELLO of 64 KiB', rawFrame(wire.hello, 0, 0, `{"version":1,"software":"${'x'.repeat(64 * 1024)}"}`)],
    ['a frame that announces 16 MiB', Buffer.from('ffffff090000000000', 'hex')],
    ['DATA that announces 16 MiB', Buffer.from('ffffff020000000001', 'hex')],
  ])('S5 a stranger with %s is refused at once', async (_what, bytes) => {
    await using edge = await startTestEdge();
    for (const carrier of [
      await connectForgedTls(edge.edge.ports.tunnel),
      await connectForgedGrpc(edge.edge.ports.grpc),
    ]) {
      carrier.send(bytes);
      expect(await carrier.goAwayCode()).toBe('GIR_ERR_FRAME_TOO_LARGE');
      await carrier.closed;
    }
  });

  it('S5 a stranger who sends without end is dropped after 256 KiB', async () => {
    await using edge = await startTestEdge({ handshakeTimeoutMs: 60_000 });
    const client = await connectForgedTls(edge.edge.ports.grpc, { ALPNProtocols: ['h2'] });
    client.send(http2Preface);
    // Of a type that nobody knows, which is to be ignored (RFC 9113 section 5.5): nothing else is wrong with them.
    const frame = http2Frame(250, 0, 0, Buffer.alloc(8192));
    let sent = 0;
    while (!client.isClosed && sent < 64 * mebibyte) {
      client.send(frame);
      sent += frame.length;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(client.isClosed).toBe(true);
    // What was on its way until we heard of it comes on top.
    expect(sent).toBeGreaterThanOrEqual(256 * 1024);
    expect(sent).toBeLessThan(mebibyte);
  });
});

describe('gRPC messages', () => {
  /** Says HELLO on a call of raw messages and waits for WELCOME. */
  async function openSession(edge: TestEdge) {
    const { client, call } = await openForgedCall(edge.edge.ports.grpc);
    const welcome = new Promise((resolve) => call.once('data', resolve));
    let isOver = false;
    call.on('error', () => (isOver = true));
    call.on('end', () => (isOver = true));
    call.write(batchMessage(helloFrame()));
    await welcome;
    return { call, client, isOver: () => isOver };
  }

  it.each([
    ['one above the largest message', batchMessage(Buffer.alloc(2 * mebibyte))],
    ['one that is no Batch', Buffer.from('hello')],
    ['one whose length lies', Buffer.from([0x0a, 0x7f, 0x00])],
    ['one with an endless length', Buffer.alloc(32, 0xff)],
    ['one with a second field', Buffer.concat([batchMessage(Buffer.alloc(0)), Buffer.from([0x10, 0x01])])],
  ])('S5 %s ends the session and nothing else', async (_what, message) => {
    await using world = await startAttackWorld({ maxMessageBytes: mebibyte, reconnectGraceMs: 0 });
    const { call, client, isOver } = await openSession(world.edge);
    call.write(message);
    await eventually('the end of the call', isOver);
    await eventually('the end of the session', async () => {
      const [status] = statuses(
        await converse(world.port, getForged.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
      );
      return status === 503;
    });
    client.close();
    await expectServing(world.edge);
  });

  it('S5 a message of zeros that is small only on the wire does not become large in memory', async () => {
    await using world = await startAttackWorld({ maxMessageBytes: mebibyte });
    const bomb = gzipSync(Buffer.alloc(128 * mebibyte));
    const session = connectHttp2(`https://localhost:${world.edge.edge.ports.grpc}`, { rejectUnauthorized: false });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tunnel.TunnelService/Connect',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-encoding': 'gzip',
    });
    const closed = new Promise((resolve) => stream.on('close', resolve));
    stream.on('error', () => {});
    const peak = watchPeakBytes();
    const prefix = Buffer.alloc(5, 1);
    prefix.writeUInt32BE(bomb.length, 1);
    stream.write(Buffer.concat([prefix, bomb]));
    stream.resume();
    await closed;
    expect(peak()).toBeLessThan(32 * mebibyte);
    session.destroy();
    await expectServing(world.edge);
  });
});

describe('an agent that floods', () => {
  /** A session of a forged agent, with one request of a client open on it. */
  async function openStream(edge: TestEdge) {
    const carrier = await connectForgedTls(edge.edge.ports.tunnel);
    carrier.send(helloFrame());
    await carrier.frame(wire.welcome);
    const client = await rawClient(edge.edge.ports.proxy, '', { halfOpen: false });
    client.send(getForged);
    const { id } = await carrier.frame(wire.head);
    return { carrier, client, id };
  }

  it('S5 more DATA than it has credit for ends its session, and the client sees a broken transfer', async () => {
    await using world = await startAttackWorld();
    const { carrier, client, id } = await openStream(world.edge);
    client.socket.pause();
    carrier.send(rawFrame(wire.head, 0, id, '200 1 c OK'));
    const piece = rawFrame(wire.data, 0, id, Buffer.alloc(64 * 1024));
    for (let sent = 0; sent < 64 * mebibyte && !carrier.isClosed; sent += piece.length) {
      carrier.send(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await carrier.goAwayCode()).toBe('GIR_ERR_FLOW_CONTROL');
    client.socket.resume();
    await client.closed;
    expect(client.text.endsWith('0\r\n\r\n')).toBe(false);
    await expectServing(world.edge);
  });

  it.each([
    ['zero', windowPayload(0), 'GIR_ERR_PROTOCOL'],
    ['more than 2^31 - 1', windowPayload(2 ** 32 - 1), 'GIR_ERR_FLOW_CONTROL'],
    ['three octets', Buffer.alloc(3, 1), 'GIR_ERR_PROTOCOL'],
  ])('S5 credit of %s ends its session', async (_what, payload, code) => {
    await using world = await startAttackWorld();
    const { carrier, client, id } = await openStream(world.edge);
    carrier.send(rawFrame(wire.window, 0, id, payload));
    expect(await carrier.goAwayCode()).toBe(code);
    client.socket.destroy();
    await expectServing(world.edge);
  });

  it.each([
    ['PING', rawFrame(wire.ping, 0, 0, '12345678')],
    ['GOAWAY', rawFrame(wire.goAway, 0, 0, 'GIR_ERR_DRAINING')],
    ['TICKET', rawFrame(wire.ticket, 0, 0)],
  ])('S5 one that sends %s without end and reads nothing is cut', async (_what, frame) => {
    await using world = await startAttackWorld();
    const { carrier, client } = await openStream(world.edge);
    carrier.pause();
    const many = Buffer.alloc(frame.length * 5000, frame);
    const before = heldBytes();
    let sent = 0;
    const isCut = (): boolean => world.edge.log.some((line) => line.message === 'carrier closed');
    while (!isCut() && !carrier.isClosed && sent < 256 * mebibyte) {
      carrier.send(many);
      sent += many.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually('the cut', isCut);
    expect(world.edge.log.find((line) => line.message === 'carrier closed')).toMatchObject({
      reason: 'GIR_ERR_ENHANCE_CALM',
    });
    // The 64 MiB that may wait for an agent that does not read, and what keeps them.
    expect(heldBytes() - before).toBeLessThan(128 * mebibyte);
    client.socket.destroy();
    await expectServing(world.edge);
  });

  it('S5 frames for streams that are long over cost it its time, and nobody else’s', async () => {
    await using world = await startAttackWorld();
    const { carrier, client, id } = await openStream(world.edge);
    carrier.send(rawFrame(wire.head, 1, id, '200 1 0 OK\nContent-Length:0'));
    await client.until('200 OK');
    const late = Buffer.concat([
      rawFrame(wire.data, 0, id, Buffer.alloc(1000)),
      rawFrame(wire.window, 0, id, windowPayload(1)),
      rawFrame(wire.reset, 0, id, 'GIR_ERR_CANCELLED'),
    ]);
    for (let round = 0; round < 100; round += 1) carrier.send(Buffer.alloc(late.length * 100, late));
    await expectServing(world.edge);
    client.send(getForged);
    await carrier.frame(wire.head, (frame) => frame.id > id);
    client.socket.destroy();
  });
});

describe('an edge that floods its agent', () => {
  const head = (id: number): Buffer => rawFrame(wire.head, 1, id, 'GET / 1 - 65536 a.test\nHost:a.test');

  it('S5 more streams than the agent takes are refused one by one, and those it took are served', async () => {
    let open: Socket[] = [];
    await using origin = await startRecordingOrigin((socket) => open.push(socket));
    await using edge = await startForgedEdge('a.test');
    await using _agent = await startTestAgent(edge.ports, 'a.test', `127.0.0.1:${origin.port}`, {
      transport: 'tcp',
      maxInboundStreams: 50,
    });
    const carrier = await edge.next();
    carrier.send(...Array.from({ length: 500 }, (_, at) => head(at + 1)));
    await eventually('the refusals', () => carrier.frames.filter((frame) => frame.type === wire.reset).length === 450);
    const reasons = carrier.frames
      .filter((frame) => frame.type === wire.reset)
      .map((frame) => frame.payload.toString());
    expect(new Set(reasons)).toEqual(new Set(['GIR_ERR_STREAM_LIMIT']));
    await eventually('the requests', () => open.length === 50);
    for (const socket of open) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    await eventually('the answers', () => carrier.frames.filter((frame) => frame.type === wire.head).length === 50);
    open = [];
    expect(carrier.isClosed).toBe(false);
  });

  it('S5 streams opened and reset at once do not leave connections to the origin behind', async () => {
    await using origin = await startRecordingOrigin(() => {});
    await using edge = await startForgedEdge('a.test');
    await using _agent = await startTestAgent(edge.ports, 'a.test', `127.0.0.1:${origin.port}`, { transport: 'tcp' });
    const carrier = await edge.next();
    for (let round = 0; round < 20; round += 1) {
      const ids = Array.from({ length: 100 }, (_, at) => round * 100 + at + 1);
      carrier.send(...ids.flatMap((id) => [head(id), rawFrame(wire.reset, 0, id, 'GIR_ERR_CANCELLED')]));
      carrier.send(rawFrame(wire.ping, 0, 0, String(round).padStart(8, '0')));
      await carrier.frame(wire.pong, (frame) => frame.payload.toString() === String(round).padStart(8, '0'));
    }
    await eventually('all connections are closed', () => origin.open === 0);
    expect(carrier.isClosed).toBe(false);
  });

  it.each([
    [
      'more body than it has credit for',
      new Array<Buffer>(400).fill(rawFrame(wire.data, 0, 1, Buffer.alloc(65_536))),
      'GIR_ERR_FLOW_CONTROL',
    ],
    ['credit above 2^31 - 1', [rawFrame(wire.window, 0, 1, windowPayload(2 ** 31 - 1))], 'GIR_ERR_FLOW_CONTROL'],
    ['a giant frame', [Buffer.from('ffffff010000000002', 'hex')], 'GIR_ERR_FRAME_TOO_LARGE'],
    [
      'a stream id that was used',
      [rawFrame(wire.head, 1, 1, 'GET / 1 - 65536 a.test\nHost:a.test')],
      'GIR_ERR_PROTOCOL',
    ],
    [
      'PINGs without end',
      Array.from({ length: 5000 }, () => rawFrame(wire.ping, 0, 0, '12345678')),
      'GIR_ERR_ENHANCE_CALM',
    ],
  ])('S5 %s ends the session with its code, and the agent comes back', async (_what, frames, code) => {
    await using origin = await startRecordingOrigin((socket) => void socket.pause());
    await using edge = await startForgedEdge('a.test');
    await using _agent = await startTestAgent(edge.ports, 'a.test', `127.0.0.1:${origin.port}`, { transport: 'tcp' });
    const carrier = await edge.next();
    carrier.send(rawFrame(wire.head, 0, 1, 'POST / 1 c 65536 a.test\nHost:a.test'), ...frames);
    expect(await carrier.goAwayCode()).toBe(code);
    await carrier.closed;
    await edge.next();
  });

  it('S5 connections that a stopped port leaves open are let go', async () => {
    const edge = await startTestEdge();
    const silent = connect({ port: edge.edge.ports.tunnel, host: '127.0.0.1' });
    const closed = new Promise((resolve) => silent.on('close', resolve));
    silent.on('error', () => {});
    await new Promise((resolve) => silent.once('connect', resolve));
    await edge[Symbol.asyncDispose]();
    await closed;
  });
});
