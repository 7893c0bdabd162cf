import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type StreamId, streamId } from '../../src/protocol/frame.ts';
import { CreditPool, ReceiveWindow } from '../../src/protocol/receive-window.ts';
import { ignoringSink, Stream, silentPort } from '../../src/tunnel/stream.ts';
import { StreamTable } from '../../src/tunnel/stream-table.ts';

function stream(id: StreamId): Stream {
  const window = new ReceiveWindow(new CreditPool(), 1, 0);
  return new Stream(
    id,
    0,
    window,
    ignoringSink,
    silentPort(() => {}),
  );
}

test('T1 streams are found by their ids, whichever ended before and however long some live', () => {
  const steps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 70 }), ended: fc.option(fc.nat()) }), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const table = new StreamTable();
      const open = new Map<StreamId, Stream>();
      let id = 0;
      for (const { gap, ended } of all) {
        id += gap;
        const next = stream(streamId(id));
        table.add(next);
        open.set(next.id, next);
        const victim = ended === null ? undefined : [...open.values()][ended % open.size];
        if (victim === undefined) continue;
        table.remove(victim);
        table.remove(victim);
        open.delete(victim.id);
        expect(table.find(victim.id)).toBeUndefined();
      }
      for (const [known, one] of open) expect(table.find(known)).toBe(one);
      expect(table.size).toBe(open.size);
      expect(new Set(table.all)).toEqual(new Set(open.values()));
    }),
  );
});

test('T1 an id above all that were ever used is a violation, and one that was used is not', () => {
  const table = new StreamTable();
  table.claim(streamId(7));
  expect(table.find(streamId(6))).toBeUndefined();
  expect(() => table.find(streamId(8))).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  expect(() => table.claim(streamId(7))).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
});
