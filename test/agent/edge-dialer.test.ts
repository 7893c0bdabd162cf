import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeDialer } from '../../src/agent/edge-dialer.ts';
import { probeEdge } from '../../src/agent/edge-probe.ts';

/** Longer than grpc-js waits before it tries again, in milliseconds. */
const longWaitMs = 5_000;

/** A gRPC port on which nobody speaks TLS. */
class MutePort implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  onConnection: (socket: Socket) => void = () => {};
  readonly #server = createServer((socket) => {
    socket.on('error', () => {}).resume();
    this.sockets.push(socket);
    this.onConnection(socket);
  });
  #port = 0;

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections until it is opened again. */
  async shut(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Resolves when all connections that were begun before now have been accepted, with how many they were. */
  async accepted(): Promise<number> {
    const last = connect(this.#port, '127.0.0.1').on('error', () => {});
    await once(last, 'connect');
    await vi.waitUntil(() => this.sockets.some(({ remotePort }) => remotePort === last.localPort));
    last.destroy();
    return this.sockets.length - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function probe(port: number, signal: AbortSignal = new AbortController().signal): Promise<unknown> {
  const dialer = new EdgeDialer('127.0.0.1', { kind: 'insecure' }, undefined);
  return probeEdge(dialer, { kind: 'grpc', port, token: '', endpoints: [] }, signal);
}

/** Lets what grpc-js does by the clock happen. */
async function laterTries(): Promise<void> {
  await vi.advanceTimersByTimeAsync(longWaitMs);
  await nextTurn();
}

describe('an attempt over gRPC that came to nothing', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('T3 makes no connection afterwards, when the port that refused it listens again', async () => {
    await using edge = new MutePort();
    await edge.open();
    await edge.shut();
    await expect(probe(edge.port)).rejects.toMatchObject({ code: 'GIR_ERR_EDGE_UNREACHABLE' });
    await edge.open();
    await laterTries();
    expect(await edge.accepted()).toBe(0);
  });

  it('T3 makes no connection afterwards, when the edge broke the first one off', async () => {
    await using edge = new MutePort();
    await edge.open();
    edge.onConnection = (socket) => socket.destroy();
    await expect(probe(edge.port)).rejects.toMatchObject({ code: 'GIR_ERR_EDGE_UNREACHABLE' });
    edge.onConnection = () => {};
    const before = await edge.accepted();
    await laterTries();
    expect([before, (await edge.accepted()) - 1]).toEqual([1, 1]);
  });

  it('T3 closes its connection at once when it is given up during the TLS handshake, and makes no other one', async () => {
    await using edge = new MutePort();
    await edge.open();
    const giveUp = new AbortController();
    const closed = new Promise<void>((resolve) => {
      edge.onConnection = (socket) => {
        socket.once('close', () => resolve());
        socket.once('data', () => giveUp.abort(new Error('given up')));
      };
    });
    await expect(probe(edge.port, giveUp.signal)).rejects.toThrow('given up');
    await closed;
    await laterTries();
    expect(await edge.accepted()).toBe(1);
  });
});
