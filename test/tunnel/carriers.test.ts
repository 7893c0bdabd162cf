import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { frameType } from '../../src/protocol/frame.ts';
import { createGrpcCarrier } from '../../src/tunnel/grpc-carrier.ts';
import { closeGraceMs, createTlsCarrier } from '../../src/tunnel/tls-carrier.ts';
import { connectMethod } from '../../src/tunnel/tunnel-service.ts';
import { batchOf, CarrierLog } from '../support/carrier-log.ts';
import { freePort } from '../support/free-port.ts';
import { turn } from '../support/linked-carriers.ts';
import { connectTlsPair, grpcCarriers, grpcClient, grpcServer, tlsCarriers } from '../support/real-carriers.ts';

const mebibyte = 1024 * 1024;

afterEach(() => {
  vi.useRealTimers();
});

/** Says what the other end is told when a carrier is lost: its code. */
const codeOf = (error: GiraffeError | undefined): string | undefined => error?.code;

describe.each([
  ['TLS', tlsCarriers, 'tls'],
  ['gRPC', grpcCarriers, 'grpc'],
] as const)('a %s carrier', (_name, createPair, kind) => {
  it('says what it is', async () => {
    await using pair = await createPair();
    expect([pair.server.kind, pair.client.kind]).toEqual([kind, kind]);
    expect(pair.server.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('delivers batches of every size whole and in order, both ways, and its queue empties', async () => {
    await using pair = await createPair();
    const [server, client] = [new CarrierLog(pair.server), new CarrierLog(pair.client)];
    const batches = [0, 1, 100, 16_384, 65_536, 300_000, 1, 0].map((bytes, index) => batchOf(bytes, index));
    for (const { batch } of batches) {
      pair.client.send(batch);
      pair.server.send(batch);
    }
    expect(pair.client.queuedBytes).toBeGreaterThan(0);
    const expected = Buffer.concat(batches.map(({ bytes }) => bytes));
    await Promise.all([server.received(expected.length), client.received(expected.length)]);
    await Promise.all([server.drained(), client.drained()]);
    expect([server.bytes.equals(expected), client.bytes.equals(expected)]).toEqual([true, true]);
    expect([server.writables > 0, client.writables > 0]).toEqual([true, true]);
    expect([pair.server.receivedBytes, pair.client.receivedBytes]).toEqual([expected.length, expected.length]);
    expect(pair.client.sentBytes).toBeGreaterThanOrEqual(expected.length);
    expect([server.closes, client.closes]).toEqual([[], []]);
  });

  it.each(['client', 'server'] as const)(
    'delivers large batches whole that the %s sends as fast as it may',
    async (by) => {
      await using pair = await createPair();
      const logs = { server: new CarrierLog(pair.server), client: new CarrierLog(pair.client) };
      const sizes = [40_000, 300_000, 65_536, 33_000, 380_000, 100, 250_000];
      const expected: Buffer[] = [];
      let count = 0;
      // One more batch each time there is room for it: buffers that are used again must have been read by then.
      const send = (): void => {
        while (count < 150 && pair[by].queuedBytes < 256 * 1024) {
          const { batch, bytes } = batchOf(sizes[count % sizes.length] ?? 1, count);
          count += 1;
          expected.push(bytes);
          pair[by].send(batch);
        }
      };
      logs[by].react = send;
      send();
      await logs[by].until(() => count === 150);
      const all = Buffer.concat(expected);
      await logs[by === 'client' ? 'server' : 'client'].received(all.length);
      expect(logs[by === 'client' ? 'server' : 'client'].bytes.equals(all)).toBe(true);
    },
  );

  it('delivers a batch of 4 MiB', async () => {
    await using pair = await createPair();
    const [server, client] = [new CarrierLog(pair.server), new CarrierLog(pair.client)];
    const { batch, bytes } = batchOf(4 * mebibyte);
    pair.client.send(batch);
    await server.received(bytes.length);
    await client.drained();
    expect(server.bytes.equals(bytes)).toBe(true);
  });

  it.each(['client', 'server'] as const)(
    'closed by the %s delivers what was queued, then ends both once',
    async (by) => {
      await using pair = await createPair();
      const logs = { server: new CarrierLog(pair.server), client: new CarrierLog(pair.client) };
      const other = by === 'client' ? 'server' : 'client';
      // Something must have gone both ways first, as a handshake does.
      pair[other].send(batchOf(1).batch);
      await logs[by].received(10);
      const { batch, bytes } = batchOf(mebibyte);
      pair[by].send(batch);
      pair[by].close();
      pair[by].close();
      await Promise.all([logs.server.closed(), logs.client.closed()]);
      expect(logs[other].bytes.equals(bytes)).toBe(true);
      expect([logs.server.closes, logs.client.closes]).toEqual([[undefined], [undefined]]);
      expect([logs.server.late, logs.client.late]).toEqual([[], []]);
    },
  );

  it.each(['client', 'server'] as const)('destroyed by the %s ends both once', async (by) => {
    await using pair = await createPair();
    const logs = { server: new CarrierLog(pair.server), client: new CarrierLog(pair.client) };
    pair[by].send(batchOf(mebibyte).batch);
    pair[by].destroy();
    pair[by].destroy();
    pair[by].close();
    await Promise.all([logs.server.closed(), logs.client.closed()]);
    expect(logs[by].closes).toEqual([undefined]);
    expect([logs.server.closes.length, logs.client.closes.length]).toEqual([1, 1]);
    expect([logs.server.late, logs.client.late]).toEqual([[], []]);
  });

  it('that is cut tells both ends once', async () => {
    await using pair = await createPair();
    const [server, client] = [new CarrierLog(pair.server), new CarrierLog(pair.client)];
    pair.client.send(batchOf(10).batch);
    await server.received(19);
    pair.cut();
    await Promise.all([server.closed(), client.closed()]);
    expect([server.closes.length, client.closes.length]).toEqual([1, 1]);
    expect([...server.closes, ...client.closes].map(codeOf)).toContain('GIR_ERR_SESSION_LOST');
    expect([server.late, client.late]).toEqual([[], []]);
  });

  it('swallows what is sent after its end, and what goes wrong then', async () => {
    await using pair = await createPair();
    const [server, client] = [new CarrierLog(pair.server), new CarrierLog(pair.client)];
    const { batch, bytes } = batchOf(4 * mebibyte);
    pair.client.send(batch);
    pair.client.close();
    pair.client.send(batchOf(10).batch);
    await Promise.all([server.closed(), client.closed()]);
    for (const carrier of [pair.client, pair.server]) {
      carrier.send(batchOf(10).batch);
      carrier.close();
      carrier.destroy();
    }
    expect(server.bytes.equals(bytes)).toBe(true);
    expect([server.closes, client.closes]).toEqual([[undefined], [undefined]]);
    await turn();
    expect([server.late, client.late]).toEqual([[], []]);
  });

  it('tells of no failure when its connection breaks while it is closing', async () => {
    await using pair = await createPair();
    const client = new CarrierLog(pair.client);
    pair.client.send(batchOf(10).batch);
    await client.drained();
    pair.client.close();
    pair.cut();
    await client.closed();
    expect([client.closes, client.late]).toEqual([[undefined], []]);
  });

  it('ends by itself when the other end does not end too', async () => {
    await using pair = await createPair();
    const client = new CarrierLog(pair.client);
    pair.client.send(batchOf(10).batch);
    await client.drained();
    // The server's end was never started: nobody there notices anything.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    pair.client.close();
    vi.advanceTimersByTime(closeGraceMs - 1);
    expect(client.closes).toEqual([]);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await client.closed();
    expect(client.closes).toEqual([undefined]);
  });

  it('passes on that its peer was admitted', async () => {
    await using pair = await createPair();
    pair.server.admit();
    expect(pair.calls.admit).toBe(1);
  });
});

describe('a TLS carrier on a socket', () => {
  it('that was destroyed before tells of its end once', async () => {
    await using pair = await connectTlsPair();
    const closed = once(pair.clientSocket, 'close');
    pair.clientSocket.destroy();
    const client = new CarrierLog(createTlsCarrier(pair.clientSocket));
    await Promise.all([client.closed(), closed]);
    expect([client.closes, client.late]).toEqual([[undefined], []]);
  });

  it('that was closed before tells of its end once', async () => {
    await using pair = await connectTlsPair();
    const closed = once(pair.clientSocket, 'close');
    pair.clientSocket.destroy();
    await closed;
    const client = new CarrierLog(createTlsCarrier(pair.clientSocket));
    await client.closed();
    await turn();
    expect([client.closes, client.late]).toEqual([[undefined], []]);
  });

  it('answers the end of the other end even on a socket that allows half-open', async () => {
    await using pair = await connectTlsPair({ allowHalfOpen: true });
    const server = new CarrierLog(createTlsCarrier(pair.serverSocket));
    const client = new CarrierLog(createTlsCarrier(pair.clientSocket));
    client.carrier.close();
    await Promise.all([server.closed(), client.closed()]);
    expect([server.closes, client.closes]).toEqual([[undefined], [undefined]]);
  });
});

describe('a gRPC carrier', () => {
  it.each(['client', 'server'] as const)('drops its connection once, whoever ends it: the %s', async (by) => {
    await using pair = await grpcCarriers();
    const [server, client] = [new CarrierLog(pair.server), new CarrierLog(pair.client)];
    pair[by].close();
    await Promise.all([server.closed(), client.closed()]);
    pair.client.destroy();
    pair.server.destroy();
    expect([pair.calls.serverDestroy, pair.calls.clientDestroy]).toEqual([1, 1]);
  });

  it('ends with a code when a message is not a Batch', async () => {
    let log: CarrierLog | undefined;
    const { server, port } = await grpcServer((call) => {
      log = new CarrierLog(createGrpcCarrier(call, { peer: call.getPeer(), admit: () => {}, destroy: () => {} }));
    });
    const client = grpcClient(port);
    const call = client.makeBidiStreamRequest(
      connectMethod.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    );
    const failed = once(call, 'error');
    call.write(batchMessage());
    call.write(Buffer.from([0x12, 0x01, 0x00]));
    await failed;
    await log?.closed();
    expect(log?.closes.map(codeOf)).toEqual(['GIR_ERR_SESSION_LOST']);
    expect(log?.late).toEqual([]);
    client.close();
    server.forceShutdown();
  });

  it('ends with a code when nobody listens where it was dialled', async () => {
    const client = grpcClient(await freePort());
    const { path, requestSerialize, responseDeserialize } = connectMethod;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const log = new CarrierLog(
      createGrpcCarrier(call, { peer: 'nobody', admit: () => {}, destroy: () => call.cancel() }),
    );
    log.carrier.send(batchOf(10).batch);
    await log.closed();
    expect([log.closes.map(codeOf), log.late]).toEqual([['GIR_ERR_SESSION_LOST'], []]);
    client.close();
  });
});

/** A Batch message with one PING. */
function batchMessage(): Buffer {
  return Buffer.from([0x0a, 9, 0, 0, 0, frameType.ping, 0, 0, 0, 0, 0]);
}
