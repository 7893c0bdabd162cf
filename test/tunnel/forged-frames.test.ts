/** S9: whatever octets arrive, in whatever role, the multiplexer accepts them or closes its carrier with a code. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { linkedCarriers, turn } from '../support/linked-carriers.ts';
import { createEnds, openRequestPayload, responsePayload, TestEnd } from '../support/multiplexer-ends.ts';
import { bufferArbitrary, cutAt, rawFrame, windowPayload } from '../support/raw-frames.ts';

type Role = 'edge' | 'agent';

const allowedCodes = ['GIR_ERR_PROTOCOL', 'GIR_ERR_FRAME_TOO_LARGE', 'GIR_ERR_FLOW_CONTROL', 'GIR_ERR_ENHANCE_CALM'];

/** Feeds pieces to a fresh end and returns what is wrong with the outcome. */
async function feed(role: Role, isActive: boolean, pieces: readonly Buffer[]): Promise<string[]> {
  const end = new TestEnd(role, linkedCarriers()[role], { maxInboundStreams: 8 });
  if (isActive) end.activate();
  end.onAccept = ({ stream }) => {
    stream.sendHead(responsePayload());
    stream.sendData(Buffer.alloc(5000));
  };
  const sinks = role === 'edge' && isActive ? [0, 1, 2, 3].map(() => end.open({ isEnd: false })) : [];
  for (const sink of sinks) sink.stream.sendData(Buffer.alloc(40_000));
  for (const piece of pieces) {
    end.carrier.receive(piece);
    await turn();
    end.carrier.deliver();
  }
  const closedBy = end.closes.map(({ code }) => code);
  end.multiplexer.destroy(new GiraffeError('GIR_ERR_SESSION_LOST'));
  const all = [...sinks, ...end.accepted.values()];
  return [
    ...closedBy.filter((code) => !allowedCodes.includes(code)).map((code) => `closed with ${code}`),
    ...(end.closes.length === 1 ? [] : [`told of ${end.closes.length} ends`]),
    ...(end.multiplexer.streams === 0 ? [] : ['streams are left']),
    ...(end.pool.freeBytes === 64 * 1024 * 1024 ? [] : [`${end.pool.freeBytes} octets are free`]),
    ...(all.every(({ stream }) => stream.isOver) ? [] : ['a stream goes on']),
    ...(all.every(({ resets, ends }) => resets.length <= 1 && ends <= 1) ? [] : ['a stream ended twice']),
    ...end.carrier.misuses,
  ];
}

/** Frames that are right in many ways, and mostly wrong in some. */
const likelyFrame = fc
  .record({
    type: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 1, arbitrary: fc.nat(255) }),
    flags: fc.constantFrom(0, 0, 1, 2, 3, 255),
    id: fc.oneof(fc.nat(5), fc.constantFrom(0xffff_ffff, 6, 7)),
    payload: fc.oneof(
      bufferArbitrary(30),
      fc.constant(openRequestPayload('/', 1000)),
      fc.constant(responsePayload()),
      fc.constantFrom(1, 1000, 0x7fff_ffff, 0xffff_ffff, 0).map(windowPayload),
      fc.constant(Buffer.from('GIR_ERR_CANCELLED')),
      fc.constant(Buffer.from('\na:b', 'latin1')),
      fc.constant(Buffer.alloc(20_000)),
      fc.constant(Buffer.alloc(0)),
    ),
  })
  .map(({ type, flags, id, payload }) => rawFrame(type, flags, type >= 6 && id < 4 ? 0 : id, payload));

const sequence = fc.array(likelyFrame, { minLength: 1, maxLength: 40, size: 'max' });
const places = fc.array(fc.nat(), { maxLength: 6 });
const role = fc.constantFrom<Role>('edge', 'agent');

/** A change to a transcript: overwritten, removed, repeated or moved octets. */
interface Mutation {
  readonly kind: 'overwrite' | 'remove' | 'repeat' | 'swap';
  readonly at: number;
  readonly length: number;
  readonly octet: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom<Mutation['kind']>('overwrite', 'remove', 'repeat', 'swap'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 40 }),
  octet: fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 255), fc.nat(255)),
});

function mutated(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  let result = Buffer.from(bytes);
  for (const { kind, at, length, octet } of mutations) {
    const start = at % result.length;
    const end = Math.min(result.length, start + length);
    const [before, part, after] = [result.subarray(0, start), result.subarray(start, end), result.subarray(end)];
    if (kind === 'overwrite') result[start] = octet;
    else if (kind === 'remove') result = Buffer.concat([before, after, Buffer.from([octet])]);
    else if (kind === 'repeat') result = Buffer.concat([before, part, part, after]);
    else result = Buffer.concat([before, after.subarray(0, length), part, after.subarray(length)]);
  }
  return result;
}

describe('forged octets (S9)', () => {
  const transcripts: Record<Role, Buffer> = { edge: Buffer.alloc(0), agent: Buffer.alloc(0) };

  beforeAll(async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload(103), { isInterim: true });
      stream.sendHead(responsePayload());
      stream.sendData(Buffer.alloc(3000, 'r'));
      stream.sendEnd([['x-t', '1']]);
    };
    const sinks = [0, 1, 2, 3].map(() => ends.edge.open({ isEnd: false }));
    for (const { stream } of sinks) stream.sendData(Buffer.alloc(40_000, 'q'));
    await ends.settle();
    ends.agent.multiplexer.ticket(Buffer.alloc(0));
    ends.edge.multiplexer.ticket(Buffer.from('ticket'));
    sinks[0]?.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    for (const { stream } of sinks) stream.sendEnd();
    ends.edge.multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING'));
    await ends.settle();
    transcripts.edge = Buffer.concat(ends.agent.carrier.sent);
    transcripts.agent = Buffer.concat(ends.edge.carrier.sent);
  });

  it('at random end in a coded close, or are accepted', async () => {
    await fc.assert(
      fc.asyncProperty(
        role,
        fc.boolean(),
        fc.array(bufferArbitrary(40), { maxLength: 5 }),
        async (who, isActive, pieces) => {
          expect(await feed(who, isActive, pieces)).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of likely frames in any order end in a coded close, or are accepted', async () => {
    await fc.assert(
      fc.asyncProperty(role, sequence, places, async (who, frames, cuts) => {
        expect(await feed(who, true, cutAt(Buffer.concat(frames), cuts))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('of a true transcript are accepted', async () => {
    expect(await feed('agent', true, cutAt(transcripts.agent, [100, 5000]))).toEqual([]);
    expect(await feed('edge', true, cutAt(transcripts.edge, [100, 5000]))).toEqual([]);
  });

  it('of a transcript that was changed here and there end in a coded close, or are accepted', async () => {
    const mutations = fc.array(mutation, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(role, mutations, places, async (who, changes, cuts) => {
        expect(await feed(who, true, cutAt(mutated(transcripts[who], changes), cuts))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
