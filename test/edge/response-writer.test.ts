import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { ResponseWriter } from '../../src/edge/response-writer.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { stalledSocket, unreadSocket } from '../support/stalled-socket.ts';

describe('what is written to a client', () => {
  it('S5 in tiny pieces waits for the end of the turn only up to a count', async () => {
    await using all = new Lifetimes();
    const socket = await unreadSocket(all);
    const writer = new ResponseWriter(socket);
    const piece = Buffer.from('x');
    writer.raw();
    for (let count = 0; count < 1000; count += 1) writer.data(piece);
    expect(socket.bytesWritten).toBe(0);
    for (let count = 0; count < 1000; count += 1) writer.data(piece);
    expect(socket.bytesWritten).toBeGreaterThan(1000);
  });

  it.each(['chunked', 'until-close'] as const)(
    'S5 that does not read shares its memory with nothing else, in a body that is %s',
    async (kind) => {
      await using all = new Lifetimes();
      const socket = await stalledSocket(all);
      const writer = new ResponseWriter(socket);
      writer.head({ status: 200, reason: 'OK', minorVersion: 1, fields: [], body: { kind } }, undefined);
      await nextTurn();
      const write = vi.spyOn(socket, 'write');
      writer.data(Buffer.alloc(65_536).subarray(0, 200));
      await nextTurn();
      expect(write.mock.calls.map(([part]) => (part as Buffer).buffer.byteLength)).toEqual([
        kind === 'chunked' ? 206 : 200,
      ]);
    },
  );
});
