/**
 * Hardening 1: HTTP/2 connections that end badly. Node keeps such a session for ever and tells nobody; the edge must get
 * rid of it, whether the connection was a stranger's or an agent's.
 */

import { connect as connectHttp2 } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { startAttackWorld } from '../support/attack-world.ts';
import { eventually } from '../support/eventually.ts';
import { batchMessage, helloFrame } from '../support/forged-carrier.ts';
import { converse, statuses } from '../support/raw-client.ts';
import { http2Preface } from '../support/raw-http2.ts';
import { resourceCount } from '../support/resources.ts';
import { startTestEdge } from '../support/world.ts';

/** DATA on a stream that was never opened. */
const dataOnIdleStream = Buffer.from('00000400000000000141424344', 'hex');

const attacks: readonly (readonly [what: string, octets: Buffer])[] = [
  ['DATA on an idle stream', dataOnIdleStream],
  ['HEADERS that are no HPACK', Buffer.from('000004010500000001ffffffff', 'hex')],
  ['WINDOW_UPDATE of zero', Buffer.from('00000408000000000000000000', 'hex')],
  ['a frame above the maximum size', Buffer.from('ffffff000000000001', 'hex')],
  ['SETTINGS of an odd size', Buffer.from('0000050400000000000102030405', 'hex')],
  ['RST_STREAM on an idle stream', Buffer.from('00000403000000000300000008', 'hex')],
  ['PUSH_PROMISE from a client', Buffer.from('00000405040000000100000002', 'hex')],
  ['half a frame', Buffer.from('000004', 'hex')],
];

/** Sockets that are open in this process, of whatever kind. */
function handles(): number {
  return resourceCount('TCPSocketWrap');
}

function secured(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', reject);
  });
}

/** Opens `count` connections, `at` a time, sends the octets, and leaves as `leave` says. */
async function flood(
  port: number,
  octets: Buffer,
  count: number,
  at: number,
  leave: (socket: TLSSocket) => unknown,
): Promise<void> {
  let opened = 0;
  const worker = async (): Promise<void> => {
    while (opened < count) {
      const socket = await secured(port).catch(() => undefined);
      // On a machine that stood still for the handshake time, the edge has let it go.
      if (socket === undefined) continue;
      opened += 1;
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.write(octets, () => resolve()));
      leave(socket);
    }
  };
  await Promise.all(Array.from({ length: at }, worker));
}

describe('strangers', () => {
  it('hardening 1: 2,000 connections that end in a bad frame leave nothing behind', async () => {
    await using world = await startAttackWorld({ handshakeTimeoutMs: 2000 });
    const { grpc } = world.edge.edge.ports;
    const baseline = handles();
    const one = await secured(grpc);
    expect(handles()).toBeGreaterThan(baseline);
    one.destroy();
    const octets = Buffer.concat([http2Preface, dataOnIdleStream]);
    await flood(grpc, octets, 2000, 40, (socket) => socket.destroy());
    await eventually('handles are back at the baseline', () => handles() <= baseline + 2, 30_000);
    expect(statuses(await converse(world.port, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'))).toEqual(
      [200],
    );
  });

  it.each(attacks)('hardening 1: %s, however the connection ends, leaves nothing behind', async (_what, attack) => {
    await using edge = await startTestEdge({ handshakeTimeoutMs: 1000 });
    const { grpc } = edge.edge.ports;
    const baseline = handles();
    const octets = Buffer.concat([http2Preface, attack]);
    await flood(grpc, octets, 20, 10, (socket) => socket.destroy());
    await flood(grpc, octets, 20, 10, (socket) => socket.resume().end());
    // These stay and say nothing more: the edge has to end them.
    await flood(grpc, octets, 20, 10, (socket) => socket.resume());
    await eventually('handles are back at the baseline', () => handles() <= baseline, 20_000);
  });
});

describe('agents', () => {
  /** An agent's connection into which raw octets can be thrown beside what its HTTP/2 session writes. */
  async function openAgent(port: number): Promise<{ readonly socket: TLSSocket; readonly raw: Socket }> {
    const raw = createConnection({ host: '127.0.0.1', port });
    const socket = connect({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['h2'], servername: 'localhost' });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.on('error', () => {});
    const passage = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
    });
    socket.on('data', (chunk: Buffer) => passage.push(chunk));
    const session = connectHttp2('https://localhost', { createConnection: () => passage });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tunnel.TunnelService/Connect',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    const message = batchMessage(helloFrame({ agentId: `agent-${raw.localPort}-xxxx` }));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    const welcomed = new Promise((resolve) => stream.once('data', resolve));
    stream.write(Buffer.concat([prefix, message]));
    await welcomed;
    return { socket, raw };
  }

  const keepAliveMs = 300;

  it.each(attacks)(
    'hardening 1: %s from an agent that then disconnects ends its session and leaves nothing behind',
    async (_what, attack) => {
      await using edge = await startTestEdge({ keepAliveMs });
      const baseline = handles();
      const agents = await Promise.all(Array.from({ length: 20 }, () => openAgent(edge.edge.ports.grpc)));
      for (const { socket } of agents) {
        socket.write(attack);
        socket.destroy();
      }
      await eventually('handles are back at the baseline', () => handles() <= baseline, 20_000);
      await eventually(
        'the sessions are over',
        () => edge.log.filter((line) => line.message === 'carrier closed').length === 20,
      );
    },
  );

  it.each(attacks)('hardening 1: %s from an agent that stays ends its session', async (_what, attack) => {
    await using edge = await startTestEdge({ keepAliveMs });
    const baseline = handles();
    const agents = await Promise.all(Array.from({ length: 5 }, () => openAgent(edge.edge.ports.grpc)));
    for (const { socket } of agents) socket.write(attack);
    await eventually(
      'the sessions are over',
      () => edge.log.filter((line) => line.message === 'carrier closed').length === 5,
      20_000,
    );
    await eventually('handles are back at the baseline', () => handles() <= baseline, 20_000);
    for (const { raw } of agents) raw.destroy();
  });
});
