import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import type { FieldLines } from '../../src/http/field-line.ts';
import { turn } from '../support/linked-carriers.ts';
import { createEnds, type RecordingSink, responsePayload, type TestEnd } from '../support/multiplexer-ends.ts';

type Side = 'edge' | 'agent';

type Operation =
  | { do: 'open'; isEnd: boolean }
  | { do: 'head'; of: number; kind: 'interim' | 'final' | 'final-and-end' }
  | { do: 'data'; side: Side; of: number; bytes: number }
  | { do: 'end'; side: Side; of: number; trailers: FieldLines }
  | { do: 'reset'; side: Side; of: number }
  | { do: 'consume'; side: Side; of: number; share: number }
  | { do: 'grant'; of: number }
  | { do: 'deliver'; side: Side; bytes: number; pieceBytes: number }
  | { do: 'turn' };

const side = fc.constantFrom<Side>('edge', 'agent');
const of = fc.nat(3);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), isEnd: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('head' as const),
      of,
      kind: fc.constantFrom('interim' as const, 'final' as const, 'final' as const, 'final-and-end' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('data' as const),
      side,
      of,
      bytes: fc.constantFrom(0, 1, 100, 40_000, 150_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      side,
      of,
      trailers: fc.constantFrom<FieldLines>([], [['x-t', '1']]),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reset' as const), side, of }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('consume' as const), side, of, share: fc.constantFrom(0, 0.1, 0.5, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant' as const), of }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      side,
      bytes: fc.constantFrom(1, 20, 1000, 100_000, 1_000_000),
      pieceBytes: fc.constantFrom(7, 1000, 65_536),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);

/** One direction of a stream as its sender knows it. */
interface Direction {
  readonly sink: RecordingSink;
  sent: number;
  hasHead: boolean;
  trailers: FieldLines | undefined;
  /** The owner gave the stream up before it was over. */
  isReset: boolean;
  /** The stream was over when its carrier was lost. */
  wasOver: boolean;
}

/** Two ends, everything that is done with them, and what must follow from it. */
class RandomExchanges {
  readonly violations: string[] = [];
  readonly ends = createEnds({ agent: { consumes: false } });
  readonly #directions: Record<Side, Map<number, Direction>> = { edge: new Map(), agent: new Map() };

  constructor() {
    this.ends.agent.onAccept = (sink) => void this.#add('agent', sink, false);
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'turn':
        return turn();
      case 'deliver':
        return void this.ends[operation.side].carrier.deliver(operation.bytes, operation.pieceBytes);
      case 'open':
        if (this.#directions.edge.size < 6) this.#open(operation.isEnd);
        return;
      default:
        return this.#applyToStream(operation);
    }
  }

  /** Lets every exchange come to its end, with everything consumed. */
  async finish(): Promise<void> {
    let moved = true;
    while (moved) {
      const before = this.#movedBytes();
      await this.ends.settle();
      for (const side of ['edge', 'agent'] as const) {
        for (const direction of this.#directions[side].values()) {
          if (side === 'agent') this.#head(direction, 'final');
          this.#end(side, direction, []);
          direction.sink.consumeAll();
        }
      }
      await this.ends.settle();
      moved = this.#movedBytes() !== before;
    }
  }

  /** Checks both ends after {@link finish}. */
  checkOutcome(): void {
    const { edge, agent, misuses } = this.ends;
    this.#expect(
      edge.closes.length + agent.closes.length === 0,
      `a carrier was closed: ${[...edge.closes, ...agent.closes]}`,
    );
    this.#expect(edge.multiplexer.streams === 0, `${edge.multiplexer.streams} streams are left at the edge`);
    this.#expect(agent.multiplexer.streams === 0, `${agent.multiplexer.streams} streams are left at the agent`);
    this.#checkPools();
    this.violations.push(...misuses);
    for (const [id, opened] of this.#directions.edge) {
      const accepted = this.#directions.agent.get(id);
      this.#expect(accepted !== undefined, `stream ${id} did not arrive`);
      if (accepted === undefined) continue;
      this.#checkDirection(id, 'request', opened, accepted);
      this.#checkDirection(id, 'response', accepted, opened);
    }
  }

  /** Loses the carrier now. */
  lose(): void {
    for (const side of ['edge', 'agent'] as const) {
      for (const direction of this.#directions[side].values()) direction.wasOver = direction.sink.stream.isOver;
      this.ends[side].carrier.lose(new GiraffeError('GIR_ERR_SESSION_LOST'));
    }
  }

  /** Checks both ends after {@link lose}. */
  checkLoss(): void {
    for (const side of ['edge', 'agent'] as const) {
      const end = this.ends[side];
      this.#expect(end.closes.length === 1, `the ${side} was told ${end.closes.length} times`);
      this.#expect(end.multiplexer.streams === 0, `${end.multiplexer.streams} streams are left at the ${side}`);
      for (const [id, { sink, wasOver, isReset }] of this.#directions[side]) {
        const resets = sink.resets.length;
        this.#expect(sink.stream.isOver, `stream ${id} goes on at the ${side}`);
        this.#expect(wasOver || resets === 1, `stream ${id} was failed ${resets} times at the ${side}`);
        this.#expect(resets <= 1 && !(isReset && resets > 0), `stream ${id} heard of ${resets} resets at the ${side}`);
        // What came whole before the loss is still passed on, and counts until then.
        sink.consumeAll();
      }
    }
    this.#checkPools();
    this.violations.push(...this.ends.misuses);
  }

  #open(isEnd: boolean): void {
    const sink = this.ends.edge.open({ isEnd, consumes: false });
    const direction = this.#add('edge', sink, true);
    if (isEnd) direction.trailers = [];
  }

  #add(side: Side, sink: RecordingSink, hasHead: boolean): Direction {
    const direction = { sink, sent: 0, hasHead, trailers: undefined, isReset: false, wasOver: false };
    this.#directions[side].set(sink.stream.id, direction);
    return direction;
  }

  #applyToStream(operation: Exclude<Operation, { do: 'turn' | 'deliver' | 'open' }>): void {
    const side = operation.do === 'head' || operation.do === 'grant' ? 'agent' : operation.side;
    const direction = [...this.#directions[side].values()].at(-1 - operation.of);
    if (direction === undefined) return;
    const { sink } = direction;
    if (operation.do === 'head') this.#head(direction, operation.kind);
    else if (operation.do === 'data') this.#data(side, direction, operation.bytes);
    else if (operation.do === 'end') this.#end(side, direction, operation.trailers);
    else if (operation.do === 'grant') sink.stream.grant(this.ends.agent.multiplexer.reserveWindow());
    else if (operation.do === 'consume') consumeShare(sink, operation.share);
    else {
      if (!sink.stream.isOver) direction.isReset = true;
      sink.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    }
  }

  #head(direction: Direction, kind: 'interim' | 'final' | 'final-and-end'): void {
    if (direction.hasHead) return;
    const isOver = direction.sink.stream.isOver;
    const isEnd = kind === 'final-and-end';
    direction.sink.stream.sendHead(responsePayload(kind === 'interim' ? 103 : 200), {
      isInterim: kind === 'interim',
      isEnd,
    });
    direction.hasHead = kind !== 'interim';
    if (isEnd && !isOver) direction.trailers = [];
  }

  #data(side: Side, direction: Direction, bytes: number): void {
    if (!direction.hasHead) return;
    const { stream } = direction.sink;
    const counts = !stream.isOver && direction.trailers === undefined;
    stream.sendData(pattern(side, stream.id, direction.sent, bytes));
    if (counts) direction.sent += bytes;
  }

  #end(_side: Side, direction: Direction, trailers: FieldLines): void {
    if (!direction.hasHead) return;
    const { stream } = direction.sink;
    if (!stream.isOver) direction.trailers ??= trailers;
    stream.sendEnd(trailers);
  }

  #checkDirection(id: number, what: string, from: Direction, to: Direction): void {
    const { body, ends, resets, trailers } = to.sink;
    const side = what === 'request' ? 'edge' : 'agent';
    this.#expect(body.equals(pattern(side, id, 0, body.length)), `other octets in the ${what} of stream ${id}`);
    this.#expect(body.length <= from.sent, `the ${what} of stream ${id} has ${body.length} octets of ${from.sent}`);
    this.#expect(
      ends <= 1 && resets.length <= 1,
      `${ends} ends and ${resets.length} resets of the ${what} of stream ${id}`,
    );
    this.#expect(to.sink.unread === 0 || from.isReset || to.isReset, `unread octets in stream ${id}`);
    this.#expect(!to.isReset || resets.length === 0, `stream ${id} was told of a reset behind its own`);
    if (ends === 1) this.#expect(body.length === from.sent, `the ${what} of stream ${id} ended short`);
    if (from.isReset || to.isReset) return;
    this.#expect(ends === 1 && resets.length === 0, `the ${what} of stream ${id} did not end`);
    const seen = JSON.stringify(trailers ?? []);
    this.#expect(seen === JSON.stringify(from.trailers), `the ${what} of stream ${id} has the trailers ${seen}`);
  }

  #checkPools(): void {
    for (const side of ['edge', 'agent'] as const) {
      const { freeBytes } = this.ends[side].pool;
      this.#expect(freeBytes === 64 * 1024 * 1024, `${freeBytes} octets are free at the ${side}`);
    }
  }

  #movedBytes(): number {
    return movedBytes(this.ends.edge) + movedBytes(this.ends.agent);
  }

  #expect(condition: boolean, violation: string): void {
    if (!condition) this.violations.push(violation);
  }
}

function movedBytes({ carrier }: TestEnd): number {
  return carrier.sentBytes + carrier.receivedBytes;
}

function consumeShare(sink: RecordingSink, share: number): void {
  const bytes = Math.floor(sink.unread * share);
  sink.unread -= bytes;
  sink.stream.consumed(bytes);
}

/** Octets that tell their stream, direction and place. */
function pattern(side: Side, id: number, start: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  const seed = id * 13 + (side === 'edge' ? 0 : 101);
  for (let index = 0; index < bytes; index += 1) buffer[index] = (start + index + seed) % 251;
  return buffer;
}

const operations = fc.array(operation, { maxLength: 80, size: 'max' });

describe('whatever both ends do at whatever moment', () => {
  it('ends exchanges as their senders ended them, and leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        const exchanges = new RandomExchanges();
        for (const each of sequence) await exchanges.apply(each);
        await exchanges.finish();
        exchanges.checkOutcome();
        expect(exchanges.violations).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('tells every stream that is not over of the loss of its carrier, once, and leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(operations, operations, async (before, after) => {
        const exchanges = new RandomExchanges();
        for (const each of before) await exchanges.apply(each);
        exchanges.lose();
        for (const each of after.filter((next) => next.do !== 'open')) await exchanges.apply(each);
        await turn();
        exchanges.checkLoss();
        expect(exchanges.violations).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
