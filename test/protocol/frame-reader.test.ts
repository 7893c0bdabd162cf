import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagEndStream, frameType, maxFramePayloadBytes } from '../../src/protocol/frame.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { bufferArbitrary, cutAt, type RawFrame, rawFrame } from '../support/raw-frames.ts';
import { heldBytes } from '../support/resources.ts';

type ReaderEvent =
  | { kind: 'frame'; type: number; flags: number; id: number; payload: string }
  | { kind: 'data'; id: number; piece: string; isEnd: boolean };

/** Pushes the pieces and returns what the sink was told. */
function read(pieces: readonly Buffer[], maxPayloadBytes?: number): ReaderEvent[] {
  const events: ReaderEvent[] = [];
  const reader = new FrameReader(
    {
      onFrame: (type, flags, id, payload) => {
        events.push({ kind: 'frame', type, flags, id, payload: payload.toString('hex') });
      },
      onData: (id, piece, isEnd) => {
        events.push({ kind: 'data', id, piece: piece.toString('hex'), isEnd });
      },
    },
    maxPayloadBytes,
  );
  for (const piece of pieces) reader.push(piece);
  return events;
}

/** Joins the pieces of each DATA frame, given the frames that were sent. `isEnd` of every piece but the last is false. */
function joined(events: readonly ReaderEvent[], frames: readonly RawFrame[]): ReaderEvent[] {
  const rest = [...events];
  return frames.flatMap((frame): ReaderEvent[] => {
    const first = rest.shift();
    if (first === undefined) return [];
    if (first.kind === 'frame' || frame.type !== frameType.data) return [first];
    let whole = first;
    while (whole.piece.length < frame.payload.length * 2) {
      const next = rest.shift();
      if (next?.kind !== 'data' || next.id !== whole.id || whole.isEnd) return [whole];
      whole = { ...next, piece: whole.piece + next.piece };
    }
    return [whole];
  });
}

function expectedEvent({ type, flags, id, payload }: RawFrame): ReaderEvent {
  return type === frameType.data
    ? { kind: 'data', id, piece: payload.toString('hex'), isEnd: (flags & flagEndStream) !== 0 }
    : { kind: 'frame', type, flags, id, payload: payload.toString('hex') };
}

function bytesOf(frames: readonly RawFrame[]): Buffer {
  return Buffer.concat(frames.map(({ type, flags, id, payload }) => rawFrame(type, flags, id, payload)));
}

const frameArbitrary: fc.Arbitrary<RawFrame> = fc.record({
  type: fc.oneof(fc.constant<number>(frameType.data), fc.integer({ min: 1, max: 13 })),
  flags: fc.oneof(fc.constantFrom(0, 1), fc.nat(255)),
  id: fc.nat(0xffff_ffff),
  payload: fc.oneof(bufferArbitrary(12), bufferArbitrary(300)),
});

describe('FrameReader', () => {
  it('tells the same, whatever pieces the carrier delivers', () => {
    fc.assert(
      fc.property(
        fc.array(frameArbitrary, { maxLength: 12, size: 'max' }),
        fc.array(fc.nat(), { maxLength: 40, size: 'max' }),
        (frames, places) => {
          const events = read(cutAt(bytesOf(frames), places));
          expect(joined(events, frames)).toEqual(frames.map(expectedEvent));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('tells the same when every octet comes alone, with empty pieces in between', () => {
    fc.assert(
      fc.property(fc.array(frameArbitrary, { maxLength: 4 }), (frames) => {
        const pieces = [...bytesOf(frames)].flatMap((octet) => [Buffer.from([octet]), Buffer.alloc(0)]);
        expect(joined(read(pieces), frames)).toEqual(frames.map(expectedEvent));
      }),
    );
  });

  it('hands DATA on as views of what was pushed, without waiting for the rest', () => {
    const pushed = Buffer.concat([rawFrame(frameType.data, 0, 7, 'abcdef')]).subarray(0, 12);
    const pieces: Buffer[] = [];
    const reader = new FrameReader({ onFrame: () => {}, onData: (_id, piece) => void pieces.push(piece) });
    reader.push(pushed);
    expect(pieces.map(String)).toEqual(['abc']);
    expect(pieces[0]?.buffer).toBe(pushed.buffer);
  });

  it('passes an empty DATA frame on, with and without the end flag', () => {
    const bytes = Buffer.concat([rawFrame(frameType.data, 0, 1), rawFrame(frameType.data, flagEndStream, 1)]);
    expect(read([bytes])).toEqual([
      { kind: 'data', id: 1, piece: '', isEnd: false },
      { kind: 'data', id: 1, piece: '', isEnd: true },
    ]);
  });

  it('sets the end on the last piece of a DATA frame only', () => {
    const bytes = rawFrame(frameType.data, flagEndStream, 1, 'abc');
    expect(read(cutAt(bytes, [10, 11]))).toEqual([
      { kind: 'data', id: 1, piece: '61', isEnd: false },
      { kind: 'data', id: 1, piece: '62', isEnd: false },
      { kind: 'data', id: 1, piece: '63', isEnd: true },
    ]);
  });

  it.each([frameType.head, frameType.data, frameType.ping, frameType.hello])(
    'accepts a type %i frame of exactly the limit and refuses one octet more from its header alone',
    (type) => {
      const whole = rawFrame(type, 0, 1, Buffer.alloc(100));
      expect(joined(read([whole], 100), [{ type, flags: 0, id: 1, payload: Buffer.alloc(100) }])).toHaveLength(1);
      const header = rawFrame(type, 0, 1, Buffer.alloc(101)).subarray(0, 9);
      expect(() => read([header], 100)).toThrow(expect.objectContaining({ code: 'GIR_ERR_FRAME_TOO_LARGE' }));
      expect(() => read(cutAt(header, [4]), 100)).toThrow(expect.objectContaining({ code: 'GIR_ERR_FRAME_TOO_LARGE' }));
    },
  );

  it('refuses a frame above 1 MiB unless told otherwise', () => {
    const header = rawFrame(frameType.head, 0, 1, Buffer.alloc(maxFramePayloadBytes + 1)).subarray(0, 9);
    expect(() => read([header])).toThrow(expect.objectContaining({ code: 'GIR_ERR_FRAME_TOO_LARGE' }));
  });

  it.each([0, 14, 255])('refuses the unknown type %i', (type) => {
    expect(() => read([rawFrame(type, 0, 0)])).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  });

  it('reads the frame behind a raiseLimit() in the same piece by the new limit', () => {
    const payloads: number[] = [];
    const reader = new FrameReader(
      {
        onFrame: (_type, _flags, _id, payload) => {
          payloads.push(payload.length);
          reader.raiseLimit(200);
        },
        onData: () => {},
      },
      100,
    );
    reader.push(Buffer.concat([rawFrame(9, 0, 0, 'hello'), rawFrame(1, 0, 1, Buffer.alloc(200))]));
    expect(payloads).toEqual([5, 200]);
  });

  it('holds an incomplete frame in about as many octets as have come, however finely they came', () => {
    const reader = new FrameReader({ onFrame: () => {}, onData: () => {} });
    reader.push(rawFrame(frameType.head, 0, 1, Buffer.alloc(maxFramePayloadBytes)).subarray(0, 9));
    const octet = Buffer.from('a');
    const before = heldBytes();
    for (let count = 0; count < 1_000_000; count += 1) reader.push(octet);
    expect(heldBytes() - before).toBeLessThan(8 * 1024 * 1024);
    // The reader is still in use here, so that it was not collected above.
    reader.push(Buffer.alloc(maxFramePayloadBytes - 1_000_000));
    expect(() => reader.push(rawFrame(0, 0, 0))).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  });

  it('does not keep a large piece alive for the few octets that are left of it', () => {
    const large = Buffer.concat([rawFrame(frameType.head, 0, 1, 'x'), rawFrame(frameType.ping, 0, 0, '12345678')]);
    const payloads: Buffer[] = [];
    const reader = new FrameReader({
      onFrame: (_type, _flags, _id, payload) => void payloads.push(payload),
      onData: () => {},
    });
    reader.push(large.subarray(0, large.length - 1));
    large.fill(0);
    reader.push(Buffer.from('8'));
    expect(String(payloads[1])).toBe('12345678');
  });

  it('survives any octets: it reads them or throws a coded error', () => {
    fc.assert(
      fc.property(fc.array(bufferArbitrary(60), { maxLength: 6 }), (pieces) => {
        const outcome = codeThrownBy(() => read(pieces, 64));
        expect([undefined, 'GIR_ERR_PROTOCOL', 'GIR_ERR_FRAME_TOO_LARGE']).toContain(outcome);
      }),
      { numRuns: 1000 },
    );
  });
});

function codeThrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}
