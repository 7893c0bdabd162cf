import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  flagEndStream,
  frameHeaderBytes,
  frameType,
  maxDataPayloadBytes,
  noStream,
  streamId,
} from '../../src/protocol/frame.ts';
import { OutboundQueue, OutboundStream } from '../../src/protocol/outbound-queue.ts';
import { smallStreamBytes } from '../../src/protocol/turns.ts';
import { type RawFrame, readRawFrames } from '../support/raw-frames.ts';

const plenty = 2 ** 31 - 1;
const empty = Buffer.alloc(0);

function take(queue: OutboundQueue, maxBytes = plenty): RawFrame[] {
  return readRawFrames(queue.take(maxBytes).encode());
}

function stream(id: number, creditBytes = plenty, onTaken: () => void = () => {}): OutboundStream {
  return new OutboundStream(streamId(id), creditBytes, onTaken);
}

/** Short texts for frames, such as `1:abc`, `1:abc.` with the end flag, and `1.\ntrailers` for an END. */
function texts(frames: readonly RawFrame[]): string[] {
  return frames.map(({ type, flags, id, payload }) => {
    if (type === frameType.data) return `${id}:${payload}${(flags & flagEndStream) === 0 ? '' : '.'}`;
    return type === frameType.end ? `${id}.${payload}` : `control ${type} ${payload}`;
  });
}

describe('OutboundQueue', () => {
  it('sends control frames first, in the order in which they were queued', () => {
    const queue = new OutboundQueue();
    const one = stream(1);
    queue.data(one, Buffer.from('body'));
    queue.control(frameType.head, 0, streamId(2), Buffer.from('a'));
    queue.control(frameType.ping, 0, noStream, Buffer.from('b'));
    queue.control(frameType.head, 0, streamId(3), Buffer.from('c'));
    expect(texts(take(queue))).toEqual(['control 1 a', 'control 6 b', 'control 1 c', '1:body']);
    expect(queue.isEmpty).toBe(true);
  });

  it('sends nothing on a stream while its control frames are still waiting', () => {
    const queue = new OutboundQueue();
    const one = stream(1);
    queue.control(frameType.head, 0, streamId(1), Buffer.alloc(50));
    queue.control(frameType.head, 0, streamId(2), Buffer.alloc(50));
    queue.data(one, Buffer.from('x'));
    expect(take(queue, 50).map(({ type }) => type)).toEqual([frameType.head]);
    expect(queue.controlFrames).toBe(1);
    expect(take(queue, 50).map(({ type }) => type)).toEqual([frameType.head]);
    expect(take(queue, 50).map(({ type }) => type)).toEqual([frameType.data]);
  });

  it('takes one control frame at least, however large it is', () => {
    const queue = new OutboundQueue();
    queue.control(frameType.head, 0, streamId(1), Buffer.alloc(100_000));
    expect(take(queue, 1)).toHaveLength(1);
  });

  it('counts what waiting control frames cost beyond their payload, and nothing once they have left', () => {
    const queue = new OutboundQueue();
    queue.control(frameType.head, 0, streamId(1), Buffer.alloc(1000));
    const oneCost = queue.controlBytes;
    queue.control(frameType.window, 0, streamId(1), Buffer.alloc(4));
    expect(oneCost).toBeGreaterThan(1100);
    expect(queue.controlBytes).toBeGreaterThan(oneCost + 100);
    take(queue, 1);
    take(queue, 1);
    expect(queue.controlBytes).toBe(0);
  });

  it('is empty when nothing of what waits has credit', () => {
    const queue = new OutboundQueue();
    const one = stream(1, 0);
    queue.data(one, Buffer.from('x'));
    queue.end(one, empty);
    expect(queue.isEmpty).toBe(true);
    queue.credit(one, 1);
    expect(queue.isEmpty).toBe(false);
  });

  it('sets the end flag on the last slice when there are no trailers', () => {
    const queue = new OutboundQueue();
    const one = stream(1);
    queue.data(one, Buffer.from('ab'));
    queue.data(one, Buffer.from('c'));
    queue.end(one, empty);
    expect(texts(take(queue))).toEqual(['1:abc.']);
  });

  it('ends a stream without a body by an empty DATA frame', () => {
    const queue = new OutboundQueue();
    queue.end(stream(1, 0), empty);
    expect(texts(take(queue))).toEqual(['1:.']);
  });

  it('sends trailers as END behind the data, or alone', () => {
    const queue = new OutboundQueue();
    const [one, two] = [stream(1), stream(2, 0)];
    queue.data(one, Buffer.from('ab'));
    queue.end(one, Buffer.from('\na:b'));
    queue.end(two, Buffer.from('\nc:d'));
    expect(texts(take(queue))).toEqual(['1:ab', '1.\na:b', '2.\nc:d']);
  });

  it('ends a stream whose data already left', () => {
    const queue = new OutboundQueue();
    const one = stream(1);
    queue.data(one, Buffer.from('ab'));
    expect(texts(take(queue))).toEqual(['1:ab']);
    queue.end(one, empty);
    expect(texts(take(queue))).toEqual(['1:.']);
  });

  it('keeps the END of a stream without credit behind its data', () => {
    const queue = new OutboundQueue();
    const one = stream(1, 0);
    queue.data(one, Buffer.from('abc'));
    queue.end(one, Buffer.from('\nt:1'));
    expect(take(queue)).toEqual([]);
    queue.credit(one, 2);
    expect(texts(take(queue))).toEqual(['1:ab']);
    expect(take(queue)).toEqual([]);
    queue.credit(one, 5);
    expect(texts(take(queue))).toEqual(['1:c', '1.\nt:1']);
    expect(one.creditBytes).toBe(4);
  });

  it('says so when the END has left', () => {
    const queue = new OutboundQueue();
    const one = stream(1);
    queue.end(one, empty);
    expect([one.hasEnded, one.end]).toEqual([true, empty]);
    take(queue);
    expect([one.hasEnded, one.end]).toEqual([true, undefined]);
  });

  it('has nothing for a stream that was discarded, also when it stood in line', () => {
    const queue = new OutboundQueue();
    const [one, two] = [stream(1), stream(2)];
    queue.data(one, Buffer.from('x'));
    queue.end(one, empty);
    queue.data(two, Buffer.from('y'));
    queue.discard(one);
    expect(texts(take(queue))).toEqual(['2:y']);
    expect(queue.isEmpty).toBe(true);
    expect(one.queuedBytes).toBe(0);
  });

  it('refuses credit above 2^31 - 1', () => {
    const queue = new OutboundQueue();
    const one = stream(1, plenty - 1);
    queue.credit(one, 1);
    expect(() => queue.credit(one, 1)).toThrow(expect.objectContaining({ code: 'GIR_ERR_FLOW_CONTROL' }));
  });

  it('tells a stream once per batch that octets were taken, after the whole batch is made', () => {
    const queue = new OutboundQueue();
    const told: string[] = [];
    const one = stream(1, plenty, () => told.push(`one ${one.queuedBytes} ${two.queuedBytes}`));
    const two = stream(2, plenty, () => told.push(`two ${one.queuedBytes} ${two.queuedBytes}`));
    queue.data(one, Buffer.alloc(3 * maxDataPayloadBytes));
    queue.data(two, Buffer.alloc(10));
    queue.take(plenty);
    expect(told).toEqual(['one 0 0', 'two 0 0']);
  });

  it('takes what a stream queues when it is told, with the next batch', () => {
    const queue = new OutboundQueue();
    let rounds = 0;
    const one = stream(1, plenty, () => {
      rounds += 1;
      if (rounds < 3) queue.data(one, Buffer.from('again'));
    });
    queue.data(one, Buffer.from('first'));
    expect([take(queue), take(queue), take(queue), take(queue)].map(texts)).toEqual([
      ['1:first'],
      ['1:again'],
      ['1:again'],
      [],
    ]);
  });

  it('leaves the octets of a batch alone until it is encoded, whatever is queued and discarded meanwhile', () => {
    const queue = new OutboundQueue();
    const [cut, whole] = [
      stream(1, 10_000, () => {
        queue.discard(cut);
        for (let count = 0; count < 3; count += 1) queue.data(more, Buffer.alloc(40_000, 'm'));
      }),
      stream(2),
    ];
    const more = stream(3);
    queue.data(cut, Buffer.alloc(40_000, 'c'));
    queue.data(whole, Buffer.alloc(40_000, 'w'));
    const batch = queue.take(50_000);
    queue.data(more, Buffer.alloc(40_000, 'n'));
    const payloads = readRawFrames(batch.encode()).map(({ id, payload }) => [id, payload.toString()]);
    expect(payloads).toEqual([
      [1, 'c'.repeat(10_000)],
      [2, 'w'.repeat(40_000)],
    ]);
    const rest = take(queue).map(({ payload }) => payload.toString());
    expect(rest.join('')).toBe('m'.repeat(120_000) + 'n'.repeat(40_000));
  });

  it('joins small pieces that wait behind each other, so that none costs more than its octets', () => {
    const queue = new OutboundQueue();
    const one = stream(1, 5);
    const octets = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index & 0xff));
    for (const octet of octets) queue.data(one, Buffer.from([octet]));
    expect([one.chunks.length, one.queuedBytes]).toEqual([3, 10_000]);
    const first = take(queue);
    queue.data(one, Buffer.from('end'));
    queue.credit(one, plenty - 5);
    const payloads = [...first, ...take(queue)].map(({ payload }) => payload);
    expect(Buffer.concat(payloads).equals(Buffer.concat([octets, Buffer.from('end')]))).toBe(true);
  });

  it('lets a small stream overtake a bulk stream that has been waiting longer', () => {
    const queue = new OutboundQueue();
    const [bulk, small] = [stream(1), stream(2)];
    queue.data(bulk, Buffer.alloc(smallStreamBytes));
    queue.take(plenty);
    queue.data(bulk, Buffer.alloc(10 * maxDataPayloadBytes));
    queue.take(1);
    queue.data(small, Buffer.from('x'));
    expect(take(queue, 1).map(({ id }) => id)).toEqual([2]);
  });

  it('starves no bulk stream, however many small ones there are', () => {
    const queue = new OutboundQueue();
    const bulk = stream(1);
    queue.data(bulk, Buffer.alloc(smallStreamBytes));
    queue.take(plenty);
    queue.data(bulk, Buffer.alloc(10 * maxDataPayloadBytes));
    for (let id = 2; id < 200; id += 1) queue.data(stream(id), Buffer.alloc(100));
    const ids = Array.from({ length: 27 }, () => take(queue, 1)[0]?.id);
    expect(ids.filter((id) => id === 1)).toHaveLength(3);
  });

  it('starves no small stream, however many bulk ones there are', () => {
    const queue = new OutboundQueue();
    for (let id = 1; id < 20; id += 1) {
      const bulk = stream(id);
      queue.data(bulk, Buffer.alloc(smallStreamBytes));
      queue.take(plenty);
      queue.data(bulk, Buffer.alloc(4 * maxDataPayloadBytes));
    }
    const small = stream(100);
    queue.data(small, Buffer.from('x'));
    const next = [...take(queue, 1), ...take(queue, 1)].map(({ id }) => id);
    expect(next).toContain(100);
  });

  it('takes turns between streams of the same kind: none is more than one slice ahead', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 300_000 }), (count, maxBytes) => {
        const queue = new OutboundQueue();
        const streams = Array.from({ length: count }, (_, index) => stream(index + 1));
        for (const each of streams) queue.data(each, Buffer.alloc(20 * maxDataPayloadBytes));
        const spreads = Array.from({ length: 10 }, () => {
          queue.take(maxBytes);
          const sent = streams.map(({ sentBytes }) => sentBytes);
          return Math.max(...sent) - Math.min(...sent);
        });
        expect(Math.max(...spreads)).toBeLessThanOrEqual(maxDataPayloadBytes);
      }),
      { numRuns: 50 },
    );
  });

  it('gives a stream no more turns for queueing its octets in more pieces', () => {
    const queue = new OutboundQueue();
    const [pieces, whole] = [stream(1), stream(2)];
    for (let count = 0; count < 20; count += 1) queue.data(pieces, Buffer.alloc(maxDataPayloadBytes));
    queue.data(whole, Buffer.alloc(20 * maxDataPayloadBytes));
    for (let count = 0; count < 20; count += 1) queue.take(1);
    expect([pieces.sentBytes, whole.sentBytes]).toEqual([10 * maxDataPayloadBytes, 10 * maxDataPayloadBytes]);
  });

  it('takes at most one slice more than it was asked for', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 400_000 }), (chunks, maxBytes) => {
        const queue = new OutboundQueue();
        chunks.forEach((bytes, index) => {
          const each = stream(index + 1);
          queue.data(each, Buffer.alloc(bytes));
          queue.end(each, Buffer.from('\na:b'));
        });
        const trailerBytes = frameHeaderBytes + 4;
        const batch = queue.take(maxBytes);
        expect(batch.bytes).toBeLessThan(maxBytes + frameHeaderBytes + maxDataPayloadBytes + trailerBytes);
        expect(readRawFrames(batch.encode()).every(({ payload }) => payload.length <= maxDataPayloadBytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('sends every stream its octets in order, within its credit, and its end once and last', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80, size: 'max' }), (operations) => {
        const model = new QueueModel();
        for (const each of operations) model.apply(each);
        model.drain();
        expect(model.violations).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

type Operation =
  | { do: 'data' | 'credit'; of: number; bytes: number }
  | { do: 'end'; of: number; trailers: string }
  | { do: 'discard'; of: number }
  | { do: 'control'; bytes: number }
  | { do: 'take'; bytes: number };

const of = fc.nat(3);
const bytes = fc.oneof(fc.nat(20), fc.constantFrom(65_535, 65_536, 65_537, 200_000));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('data' as const, 'credit' as const), of, bytes }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), of, trailers: fc.constantFrom('', '\na:b') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), of }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('control' as const), bytes: fc.nat(300) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), bytes: bytes.map((count) => count + 1) }) },
);

/** What a queue must do, kept as plain sums and texts. */
class QueueModel {
  readonly violations: string[] = [];
  readonly #queue = new OutboundQueue();
  readonly #streams = [1, 2, 3, 4].map((id) => {
    const outbound = stream(id, 0);
    return { outbound, credit: 0, queued: 0, sent: 0, trailers: undefined as string | undefined, state: 'open' };
  });
  #controlsQueued = 0;
  #controlsSent = 0;
  #written = 0;

  apply(operation: Operation): void {
    const state = 'of' in operation ? this.#streams[operation.of] : undefined;
    if (operation.do === 'control') {
      this.#queue.control(
        frameType.ping,
        0,
        noStream,
        Buffer.alloc(operation.bytes, String(this.#controlsQueued % 10)),
      );
      this.#controlsQueued += 1;
    } else if (operation.do === 'take') {
      this.#check(take(this.#queue, operation.bytes));
    } else if (state === undefined || state.state === 'discarded') {
      return;
    } else if (operation.do === 'data') {
      if (state.trailers !== undefined) return;
      const lent = Buffer.from(pattern(state.queued, operation.bytes));
      this.#queue.data(state.outbound, lent);
      lent.fill(0xdd);
      state.queued += operation.bytes;
    } else if (operation.do === 'credit') {
      this.#queue.credit(state.outbound, operation.bytes);
      state.credit += operation.bytes;
    } else if (operation.do === 'end') {
      if (state.trailers !== undefined) return;
      this.#queue.end(state.outbound, Buffer.from(operation.trailers));
      state.trailers = operation.trailers;
    } else {
      this.#queue.discard(state.outbound);
      state.state = 'discarded';
    }
  }

  /** Gives all streams credit and checks that everything leaves. */
  drain(): void {
    for (const state of this.#streams) {
      this.#queue.credit(state.outbound, 50_000_000);
      state.credit += 50_000_000;
    }
    while (!this.#queue.isEmpty) this.#check(take(this.#queue, 100_000));
    for (const { outbound, queued, sent, state, trailers } of this.#streams) {
      if (state === 'discarded') continue;
      this.#expect(sent === queued, `stream ${outbound.id} sent ${sent} of ${queued}`);
      this.#expect((state === 'ended') === (trailers !== undefined), `stream ${outbound.id} is ${state}`);
      this.#expect(outbound.queuedBytes === 0, `stream ${outbound.id} counts ${outbound.queuedBytes} queued`);
    }
    this.#expect(this.#controlsSent === this.#controlsQueued, 'a control frame is missing');
  }

  #check(frames: readonly RawFrame[]): void {
    let sawStreamFrame = false;
    for (const frame of frames) {
      if (frame.type === frameType.ping) {
        this.#expect(!sawStreamFrame, 'a control frame behind a frame of a stream');
        const digit = String(this.#controlsSent % 10);
        this.#expect(
          frame.payload.every((octet) => octet === digit.charCodeAt(0)),
          'control frames out of order',
        );
        this.#controlsSent += 1;
      } else {
        sawStreamFrame = true;
        this.#checkStreamFrame(frame);
      }
    }
  }

  #checkStreamFrame({ type, flags, id, payload }: RawFrame): void {
    const state = this.#streams[id - 1];
    if (state === undefined) return void this.violations.push(`stream ${id} does not exist`);
    this.#expect(state.state === 'open', `a frame on stream ${id}, which is ${state.state}`);
    if (type === frameType.data) {
      this.#expect(payload.equals(pattern(state.sent, payload.length)), `other octets on stream ${id}`);
      state.sent += payload.length;
      state.credit -= payload.length;
      this.#expect(state.credit >= 0, `stream ${id} passed its credit`);
      this.#expect(payload.length > 0 || (flags & flagEndStream) !== 0, `an idle DATA frame on stream ${id}`);
    }
    if (type === frameType.end || (flags & flagEndStream) !== 0) {
      const expected = type === frameType.end ? payload.toString() : '';
      this.#expect(state.trailers === expected, `stream ${id} ended with ${JSON.stringify(expected)}`);
      this.#expect(state.sent === state.queued, `stream ${id} ended before its data`);
      state.state = 'ended';
    }
  }

  #expect(condition: boolean, violation: string): void {
    this.#written += 1;
    if (!condition) this.violations.push(`${this.#written}: ${violation}`);
  }
}

/** Octets of an endless pattern from `start` on. */
function pattern(start: number, bytes: number): Buffer {
  return endless.subarray(start % period, (start % period) + bytes);
}

const period = 251;
const endless = Buffer.from(Array.from({ length: 200_000 + period }, (_, index) => index % period));
