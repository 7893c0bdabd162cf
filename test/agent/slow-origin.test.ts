import { describe, expect, it, vi } from 'vitest';
import type { ExchangeStream } from '../../src/agent/exchange-stream.ts';
import { Relay } from '../../src/agent/relay.ts';
import { RequestBody } from '../../src/agent/request-body.ts';
import { SocketReader } from '../../src/agent/socket-reader.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { stalledSocket } from '../support/stalled-socket.ts';

describe('what waits for an origin that does not read', () => {
  /** As it comes from a carrier: with what others sent before and behind it. */
  const piece = Buffer.alloc(65_536, 'x').subarray(10, 210);

  it.each([{ kind: 'chunked' }, { kind: 'length', lengthBytes: 1000 }] as const)(
    'S5 is of a $kind body what the client sent, and not all that came with it',
    async (framing) => {
      await using all = new Lifetimes();
      const socket = await stalledSocket(all);
      const write = vi.spyOn(socket, 'write');
      expect(new RequestBody(framing).write(socket, piece)).toBe(false);
      const kept = write.mock.calls.map(([part]) => part).find((part) => part.length === piece.length);
      expect(kept).toEqual(piece);
      expect((kept as Buffer).buffer.byteLength).toBe(piece.length);
    },
  );

  it('S5 is of an upgraded connection what the client sent, and not all that came with it', async () => {
    await using all = new Lifetimes();
    const socket = await stalledSocket(all);
    const consumed = vi.fn();
    const stream = { consumed, sendEnd: () => {}, reset: () => {} } as unknown as ExchangeStream;
    const relay = new Relay({
      ...{ stream, socket, reader: new SocketReader(() => {}), rest: undefined, tap: undefined },
      onFinished: () => {},
    });
    const write = vi.spyOn(socket, 'write');
    relay.onData(piece);
    expect(write.mock.calls.map(([part]) => (part as Buffer).buffer.byteLength)).toEqual([piece.length]);
    expect(consumed).not.toHaveBeenCalled();
  });
});
