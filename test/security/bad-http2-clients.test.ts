/** Clients whose HTTP/2 is broken, or that do not close or read when they should: the edge must get rid of them. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { http2Frame, http2Preface } from '../support/raw-http2.ts';
import { heldBytes } from '../support/resources.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const domain = 'app.test';
/** HEADERS of a whole request, each field as a literal (RFC 7541 section 6.2.2). */
function http2Get(stream: number): Buffer {
  const fields = { ':method': 'GET', ':scheme': 'https', ':path': '/', ':authority': domain };
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
  const block = Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]);
  return http2Frame(1, 0x5, stream, Buffer.concat(block));
}

/** SETTINGS and WINDOW_UPDATE that allow as much as there can be, for each stream and for all. */
function wideWindows(): Buffer {
  const perStream = Buffer.alloc(6);
  perStream.writeUInt16BE(4);
  perStream.writeUInt32BE(0x7fff0000, 2);
  const forAll = Buffer.alloc(4);
  forAll.writeUInt32BE(0x70000000);
  return Buffer.concat([http2Frame(4, 0, 0, perStream), http2Frame(8, 0, 0, forAll)]);
}

async function startHttpsEdge(limits = {}): Promise<TestEdge> {
  return startTestEdge(limits, { proxyCertificate: await testCertificate() });
}

/** A connection that says nothing by itself, and stays half open when the edge ends its side. */
async function connected(edge: TestEdge): Promise<TLSSocket> {
  const { caPem: ca } = await testCertificate();
  const raw = createConnection({ port: edge.edge.ports.proxy, host: '127.0.0.1', allowHalfOpen: true });
  const socket = connect({ socket: raw, servername: 'localhost', ca, ALPNProtocols: ['h2'] });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

function connections(edge: TestEdge): number | undefined {
  const metric = edge.edge.snapshot().metrics.find(({ name }) => name === 'giraffe_client_connections');
  const [sample] = metric?.kind === 'gauge' ? metric.samples : [];
  return sample?.value;
}

describe('an HTTP/2 client', () => {
  it.each<[string, Buffer]>([
    ['is idle', Buffer.alloc(0)],
    ['sent DATA on an idle stream', http2Frame(0, 0, 1, Buffer.from('abcd'))],
    ['sent HEADERS that are no HPACK', Buffer.from('000004010500000001ffffffff', 'hex')],
    ['sent half a frame', Buffer.from('000004', 'hex')],
  ])('S5 that %s, and does not close when it is told to, is dropped', async (_what, octets) => {
    await using edge = await startHttpsEdge({ headTimeoutMs: 300, keepAliveTimeoutMs: 300 });
    const socket = await connected(edge);
    socket.resume().write(http2Preface);
    await eventually('it is there', () => connections(edge) === 1);
    socket.write(octets);
    await eventually('it is gone', () => connections(edge) === 0, 10_000);
    socket.destroy();
  });

  it('H8 whose connection ends without a word is gone, and the origin hears of it', async () => {
    await using edge = await startHttpsEdge();
    let hasBegun = false;
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('a beginning');
      hasBegun = true;
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    const socket = await connected(edge);
    socket.resume().write(Buffer.concat([http2Preface, http2Get(1)]));
    await eventually('it is being answered', () => hasBegun);
    socket.end();
    await eventually('it is gone', () => connections(edge) === 0);
    await eventually('the origin has heard of it', () => [...origin.open].every(({ destroyed }) => destroyed));
    socket.destroy();
  });

  it('S5 that reads nothing does without interim answers, which no window bounds', async () => {
    await using edge = await startHttpsEdge();
    const link = `<${'a'.repeat(10_000)}>`;
    let asked = 0;
    await using origin = await startHttpOrigin((_request, response) => {
      for (let count = 0; count < 95; count += 1) response.writeEarlyHints({ link: `${link}; rel=preload` });
      asked += 1;
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    const socket = await connected(edge);
    const before = heldBytes();
    const streams = Array.from({ length: 60 }, (_, index) => http2Get(2 * index + 1));
    socket.pause().write(Buffer.concat([http2Preface, ...streams]));
    const hasLeft = (): boolean => [...origin.open].every(({ writableLength }) => writableLength === 0);
    await eventually('the origin has got rid of it all', () => asked === streams.length && hasLeft());
    const last = await connected(edge);
    last.write(Buffer.concat([http2Preface, http2Get(1)]));
    await eventually('what came behind it is here', () => last.resume().bytesRead > 500_000);
    expect(heldBytes() - before).toBeLessThan(16 * 1024 * 1024);
    last.destroy();
    socket.destroy();
  });

  it('S5 that takes nothing of its answer is dropped by an edge that closes', async () => {
    const edge = await startHttpsEdge();
    const piece = Buffer.alloc(64 * 1024);
    let movedAtMs = Number.POSITIVE_INFINITY;
    await using origin = await startHttpOrigin((_request, response) => {
      const more = (): void => {
        movedAtMs = performance.now();
        while (response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    const socket = await connected(edge);
    socket.pause().write(Buffer.concat([http2Preface, wideWindows(), http2Get(1)]));
    await eventually('nothing moves any more', () => performance.now() - movedAtMs > 500, 10_000);
    expect(connections(edge)).toBe(1);
    await edge[Symbol.asyncDispose]();
    await eventually('it is gone', () => connections(edge) === 0, 10_000);
    socket.destroy();
  });
});
