import { afterEach, describe, expect, it, vi } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { frameType, maxDataPayloadBytes, noStream, streamId } from '../../src/protocol/frame.ts';
import { firstPathBytes } from '../../src/protocol/path-window.ts';
import { minWindowBytes, ReceiveWindow } from '../../src/protocol/receive-window.ts';
import { linkedCarriers, settle, turn } from '../support/linked-carriers.ts';
import {
  createEnds,
  type RecordingSink,
  responsePayload,
  TestEnd,
  type TestEnds,
} from '../support/multiplexer-ends.ts';
import { rawFrame, readRawFrames } from '../support/raw-frames.ts';

const mebibyte = 1024 * 1024;

afterEach(() => {
  vi.useRealTimers();
});

function octets(bytes: number, seed = 0): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let index = 0; index < bytes; index += 1) buffer[index] = (index * 7 + seed + (index >> 8)) & 0xff;
  return buffer;
}

/** Lets every accepted stream answer with its own request body and a trailer. */
function echoes(end: TestEnd): void {
  end.onAccept = (sink) => {
    sink.stream.grant(ReceiveWindow.sizeFor(end.pool));
    sink.stream.sendHead(responsePayload());
    sink.react = ({ chunks }) => void sink.stream.sendData(chunks.at(-1) ?? Buffer.alloc(0));
    const { onEnd } = sink;
    sink.onEnd = (trailers) => {
      onEnd.call(sink, trailers);
      sink.stream.sendEnd([['x-echo', 'done']]);
    };
  };
}

function leavesNothing(ends: TestEnds): void {
  expect(ends.edge.multiplexer.streams).toBe(0);
  expect(ends.agent.multiplexer.streams).toBe(0);
  expect(ends.edge.pool.freeBytes).toBe(64 * mebibyte);
  expect(ends.agent.pool.freeBytes).toBe(64 * mebibyte);
  expect(ends.misuses).toEqual([]);
}

describe('an exchange', () => {
  it.each([1, 2, 9, 1000, undefined])('goes through both ways in pieces of %s octets', async (pieceBytes) => {
    const ends = createEnds();
    echoes(ends.agent);
    const body = octets(3000);
    const sink = ends.edge.open({ isEnd: false, path: '/upload' });
    sink.stream.sendData(body.subarray(0, 1000));
    sink.stream.sendData(body.subarray(1000));
    sink.stream.sendEnd([['x-sum', '1']]);
    await ends.settle(pieceBytes);
    expect(ends.agent.requests).toEqual(['/upload']);
    expect(ends.agent.lastAccepted.body.equals(body)).toBe(true);
    expect(ends.agent.lastAccepted.trailers).toEqual([['x-sum', '1']]);
    expect(sink.heads).toEqual([{ text: responsePayload().toString('latin1'), isInterim: false, isEnd: false }]);
    expect(sink.body.equals(body)).toBe(true);
    expect(sink.trailers).toEqual([['x-echo', 'done']]);
    expect([sink.ends, sink.resets, sink.stream.isOver]).toEqual([1, [], true]);
    leavesNothing(ends);
  });

  it('H14 has no more under way than the path is known to carry, and control frames pass all the same', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(octets(mebibyte));
      stream.sendEnd();
    };
    const bulk = ends.edge.open();
    await turn();
    ends.edge.carrier.deliver();
    const before = ends.agent.carrier.sentBytes;
    // Everything arrives at the edge, but none of its answers at the agent.
    for (let count = 0; count < 20; count += 1) {
      await turn();
      ends.agent.carrier.deliver();
    }
    expect(ends.agent.carrier.sentBytes - before).toBeGreaterThan(firstPathBytes / 2);
    expect(ends.agent.carrier.sentBytes - before).toBeLessThan(firstPathBytes + 64 * 1024);
    const held = ends.agent.carrier.sentBytes;
    ends.agent.multiplexer.control(frameType.ping, 0, noStream, Buffer.alloc(8));
    await turn();
    expect(ends.agent.carrier.sentBytes).toBe(held + 17);
    await ends.settle();
    expect(bulk.body.length).toBe(mebibyte);
    leavesNothing(ends);
  });

  it('of several megabytes goes through whole, in slices that leave room for others', async () => {
    const ends = createEnds();
    echoes(ends.agent);
    const body = octets(5 * mebibyte);
    const sink = ends.edge.open({ isEnd: false });
    sink.stream.sendData(body);
    sink.stream.sendEnd();
    await ends.settle();
    expect(sink.body.equals(body)).toBe(true);
    const sizes = readRawFrames(Buffer.concat(ends.agent.carrier.sent)).map(({ payload }) => payload.length);
    expect(Math.max(...sizes)).toBe(maxDataPayloadBytes);
    leavesNothing(ends);
  });

  it('without bodies is a head each way, and is over when the second one has arrived', async () => {
    const ends = createEnds();
    ends.agent.onAccept = (accepted) => accepted.stream.sendHead(responsePayload(204), { isEnd: true });
    const sink = ends.edge.open();
    await ends.settle();
    expect(sink.heads.map(({ isEnd }) => isEnd)).toEqual([true]);
    leavesNothing(ends);
  });

  it('passes interim heads before the final one', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload(103), { isInterim: true });
      stream.sendHead(responsePayload(102), { isInterim: true });
      stream.sendHead(responsePayload(200));
      stream.sendEnd();
    };
    const sink = ends.edge.open();
    await ends.settle();
    expect(sink.heads.map(({ text, isInterim }) => `${text.slice(0, 3)} ${isInterim}`)).toEqual([
      '103 true',
      '102 true',
      '200 false',
    ]);
    expect([sink.ends, sink.trailers]).toEqual([1, []]);
    leavesNothing(ends);
  });

  it('can be answered before its request has ended, and ends when both have', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload(413), { isEnd: true });
    const sink = ends.edge.open({ isEnd: false });
    await ends.settle();
    expect([sink.ends, sink.stream.isOver, ends.edge.multiplexer.streams]).toEqual([1, false, 1]);
    sink.stream.sendData(Buffer.from('late'));
    sink.stream.sendEnd();
    await ends.settle();
    expect(String(ends.agent.lastAccepted.body)).toBe('late');
    leavesNothing(ends);
  });

  it('leaves within two turns of the event loop, without a timer', async () => {
    const ends = createEnds();
    await ends.settle();
    ends.edge.open();
    await turn();
    expect(ends.edge.carrier.queuedBytes).toBeGreaterThan(0);
  });

  it('of one turn leaves in one batch with all others', async () => {
    const ends = createEnds();
    await ends.settle();
    const before = ends.edge.carrier.sent.length;
    for (let count = 0; count < 100; count += 1) ends.edge.open();
    await turn();
    expect(ends.edge.carrier.sent).toHaveLength(before + 1);
  });

  it('waits for what further turns bring, but not for ever', async () => {
    const ends = createEnds();
    await ends.settle();
    const before = ends.edge.carrier.sent.length;
    for (let count = 0; count < 24; count += 1) {
      ends.edge.open();
      await new Promise(setImmediate);
    }
    // A batch for each eight turns; the last may still wait.
    const batches = ends.edge.carrier.sent.length - before;
    expect([2, 3]).toContain(batches);
  });
});

describe('what an owner may do too often or too late', () => {
  it('sends nothing behind the end of a direction', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload());
    const sink = ends.edge.open({ isEnd: false });
    sink.stream.sendData(Buffer.from('a'));
    sink.stream.sendEnd([['first', '1']]);
    expect(sink.stream.sendData(Buffer.from('b'))).toBe(true);
    sink.stream.sendEnd([['second', '2']]);
    await ends.settle();
    expect(sink.stream.sendData(Buffer.from('c'))).toBe(true);
    sink.stream.sendEnd();
    sink.stream.sendHead(responsePayload());
    await ends.settle();
    const accepted = ends.agent.lastAccepted;
    expect([String(accepted.body), accepted.ends, accepted.trailers]).toEqual(['a', 1, [['first', '1']]]);
    expect([ends.edge.closes, ends.agent.closes]).toEqual([[], []]);
  });

  it('sends nothing behind a head that ended its direction', async () => {
    const ends = createEnds();
    const sink = ends.edge.open({ isEnd: true });
    sink.stream.sendData(Buffer.from('b'));
    sink.stream.sendEnd([['second', '2']]);
    await ends.settle();
    expect(ends.agent.lastAccepted.body).toHaveLength(0);
    expect([ends.edge.closes, ends.agent.closes]).toEqual([[], []]);
  });

  it('tolerates everything on a stream that is over', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload(), { isEnd: true });
    const sink = ends.edge.open();
    await ends.settle();
    const { stream } = sink;
    const sentBefore = ends.edge.carrier.sentBytes;
    stream.sendHead(responsePayload());
    stream.sendData(Buffer.from('x'));
    stream.sendEnd();
    stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    stream.consumed(10);
    stream.grant(ends.edge.multiplexer.reserveWindow());
    await ends.settle();
    expect(ends.edge.carrier.sentBytes).toBe(sentBefore);
    leavesNothing(ends);
  });

  it('fails a stream that is opened on a carrier that is gone, once and not before open() has returned', async () => {
    const ends = createEnds();
    await ends.settle();
    ends.edge.multiplexer.destroy(new GiraffeError('GIR_ERR_PING_TIMEOUT'));
    const sink = ends.edge.open();
    expect(sink.resets).toEqual([]);
    await ends.settle();
    expect(sink.resets.map(({ code }) => code)).toEqual(['GIR_ERR_SESSION_LOST']);
    leavesNothing(ends);
  });

  it('fails a stream that is opened while the carrier is closing', async () => {
    const ends = createEnds();
    await ends.settle();
    ends.edge.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    const sink = ends.edge.open();
    await turn();
    expect(sink.resets.map(({ code }) => code)).toEqual(['GIR_ERR_SESSION_LOST']);
    await ends.settle();
    expect(sink.resets).toHaveLength(1);
    expect(ends.agent.accepted.size).toBe(0);
    leavesNothing(ends);
  });
});

describe('backpressure', () => {
  it('pauses a source that fills its stream, and wakes it when there is room again', async () => {
    const ends = createEnds();
    ends.agent.onAccept = (sink) => {
      sink.consumes = false;
    };
    const sink = ends.edge.open({ isEnd: false });
    expect(sink.stream.sendData(octets(minWindowBytes))).toBe(true);
    expect(sink.stream.sendData(octets(minWindowBytes))).toBe(false);
    await ends.settle();
    expect(sink.writables).toBe(1);
    expect(sink.stream.sendData(octets(minWindowBytes))).toBe(false);
    await ends.settle();
    expect(sink.writables).toBe(1);
    ends.agent.lastAccepted.consumeAll();
    await ends.settle();
    expect(sink.writables).toBe(2);
  });

  it('stops a sender at the window of a reader that consumes nothing, and goes on when it does', async () => {
    const ends = createEnds({ agent: { consumes: false } });
    const sink = ends.edge.open({ isEnd: false });
    const body = octets(3 * minWindowBytes);
    sink.stream.sendData(body);
    sink.stream.sendEnd();
    await ends.settle();
    const accepted = ends.agent.lastAccepted;
    expect(accepted.body).toHaveLength(minWindowBytes);
    accepted.consumeAll();
    await ends.settle();
    expect(accepted.body).toHaveLength(2 * minWindowBytes);
    expect(accepted.ends).toBe(0);
    accepted.consumeAll();
    await ends.settle();
    expect([accepted.body.equals(body), accepted.ends]).toEqual([true, 1]);
  });

  it('keeps what is unread within the pool and the minimum of each stream, however many streams are stuck', async () => {
    const poolBytes = 2 * mebibyte;
    const ends = createEnds({ edge: { poolBytes } });
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(Buffer.alloc(2 * mebibyte));
      stream.sendEnd();
    };
    const sinks = Array.from({ length: 50 }, () => ends.edge.open({ consumes: false }));
    await ends.settle();
    const unread = sinks.reduce((sum, sink) => sum + sink.unread, 0);
    expect(unread).toBeLessThanOrEqual(poolBytes + 50 * minWindowBytes);
    expect(unread).toBeGreaterThan(poolBytes / 2);
  });

  it('lets a request body use the whole window that the agent grants', async () => {
    const ends = createEnds({ agent: { consumes: false } });
    ends.agent.onAccept = ({ stream }) => stream.grant(ends.agent.multiplexer.reserveWindow());
    const sink = ends.edge.open({ isEnd: false });
    sink.stream.sendData(Buffer.alloc(3 * mebibyte));
    await ends.settle();
    expect(ends.agent.lastAccepted.unread).toBe(mebibyte);
    sink.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    await ends.settle();
    leavesNothing(ends);
  });

  it('lets others have the window of a body that has ended and was passed on, while its answer goes on', async () => {
    const ends = createEnds({ agent: { consumes: false } });
    ends.agent.onAccept = ({ stream }) => {
      stream.grant(ends.agent.multiplexer.reserveWindow());
      stream.sendHead(responsePayload());
    };
    const sink = ends.edge.open({ isEnd: false });
    await ends.settle();
    expect(ends.agent.pool.promisedBytes).toBe(mebibyte - minWindowBytes);
    sink.stream.sendData(Buffer.alloc(100_000));
    sink.stream.sendEnd();
    await ends.settle();
    expect(ends.agent.pool.promisedBytes).toBe(100_000 - minWindowBytes);
    ends.agent.lastAccepted.consumeAll();
    expect([ends.agent.pool.promisedBytes, ends.agent.lastAccepted.stream.isOver]).toEqual([0, false]);
    ends.agent.lastAccepted.stream.sendEnd();
    await ends.settle();
    leavesNothing(ends);
  });

  it('gives no credit for a body that has ended', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(octets(500_000));
      stream.sendEnd();
    };
    const sink = ends.edge.open({ isEnd: false, consumes: false });
    await ends.settle();
    expect([sink.ends, sink.stream.isOver]).toEqual([1, false]);
    sink.consumeAll();
    await ends.settle();
    const types = readRawFrames(Buffer.concat(ends.edge.carrier.sent)).map(({ type }) => type);
    expect(types).not.toContain(frameType.window);
  });

  it('queues no more in the carrier than keeps a control frame near, whatever waits behind', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(Buffer.alloc(16 * mebibyte));
    };
    for (let count = 0; count < 10; count += 1) ends.edge.open();
    await turn();
    ends.edge.carrier.deliver();
    await turn();
    await turn();
    expect(ends.agent.carrier.queuedBytes).toBeGreaterThanOrEqual(128 * 1024);
    expect(ends.agent.carrier.queuedBytes).toBeLessThanOrEqual(128 * 1024 + maxDataPayloadBytes + 9);
  });

  it('sends a small answer ahead of bulk that was queued before (H14)', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      if (stream.id === 1) stream.sendData(Buffer.alloc(mebibyte));
    };
    ends.edge.open({ path: '/bulk' });
    const small = ends.edge.open({ path: '/small' });
    await turn();
    ends.edge.carrier.deliver();
    await turn();
    ends.agent.lastAccepted.stream.sendData(Buffer.from('small'));
    ends.agent.lastAccepted.stream.sendEnd();
    const queuedBefore = ends.agent.carrier.queuedBytes;
    while (small.ends === 0 && ends.agent.carrier.deliver(16_384) > 0) await turn();
    expect(String(small.body)).toBe('small');
    expect(ends.agent.carrier.sentBytes).toBeLessThan(queuedBefore + 6 * maxDataPayloadBytes);
  });

  it('sends a reset ahead of bulk that waits', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(Buffer.alloc(mebibyte));
    };
    ends.edge.open();
    const other = ends.edge.open();
    await turn();
    ends.edge.carrier.deliver();
    await turn();
    ends.agent.lastAccepted.stream.reset(new GiraffeError('GIR_ERR_ORIGIN_CLOSED'));
    const inCarrier = ends.agent.carrier.queuedBytes;
    while (other.resets.length === 0 && ends.agent.carrier.deliver(16_384) > 0) await turn();
    expect(other.resets.map(({ code }) => code)).toEqual(['GIR_ERR_ORIGIN_CLOSED']);
    expect(ends.edge.carrier.receivedBytes).toBeLessThanOrEqual(inCarrier + 16_384 + 1000);
  });
});

describe('a reset', () => {
  it.each(['edge', 'agent'] as const)(
    'by the %s tells the other end its code, and drops what was queued',
    async (by) => {
      const ends = createEnds();
      ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload());
      const opened = ends.edge.open({ isEnd: false });
      await ends.settle();
      const accepted = ends.agent.lastAccepted;
      const [here, there] = by === 'edge' ? [opened, accepted] : [accepted, opened];
      here.stream.sendData(octets(200_000));
      const { carrier } = by === 'edge' ? ends.edge : ends.agent;
      const sentBefore = carrier.sent.length;
      here.stream.reset(new GiraffeError('GIR_ERR_RESPONSE_TIMEOUT'));
      await ends.settle();
      expect(there.resets.map(({ code }) => code)).toEqual(['GIR_ERR_RESPONSE_TIMEOUT']);
      const sent = Buffer.concat(carrier.sent.slice(sentBefore));
      expect(readRawFrames(sent).map(({ type }) => type)).toEqual([frameType.reset]);
      expect([here.resets, here.stream.isOver, there.stream.isOver]).toEqual([[], true, true]);
      leavesNothing(ends);
    },
  );

  it('sends no detail: it may name inner addresses', async () => {
    const ends = createEnds();
    const opened = ends.edge.open();
    await ends.settle();
    ends.agent.lastAccepted.stream.reset(new GiraffeError('GIR_ERR_ORIGIN_REFUSED', 'connect 10.0.0.7:80'));
    await ends.settle();
    expect(opened.resets[0]?.message).not.toContain('10.0.0.7');
  });

  it('from both ends at once leaves nothing, and tells neither', async () => {
    const ends = createEnds();
    const opened = ends.edge.open({ isEnd: false });
    await ends.settle();
    const accepted = ends.agent.lastAccepted;
    opened.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    accepted.stream.reset(new GiraffeError('GIR_ERR_ORIGIN_CLOSED'));
    await ends.settle();
    expect([opened.resets, accepted.resets]).toEqual([[], []]);
    expect([ends.edge.closes, ends.agent.closes]).toEqual([[], []]);
    leavesNothing(ends);
  });

  it('makes late frames of the other end uninteresting: data, end, window, reset', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(octets(50_000));
      stream.sendEnd([['a', 'b']]);
    };
    const opened = ends.edge.open({ isEnd: false });
    await turn();
    ends.edge.carrier.deliver();
    await turn();
    opened.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    const late = [
      rawFrame(frameType.window, 0, opened.stream.id, Buffer.from([0, 0, 0, 1])),
      rawFrame(frameType.reset, 0, opened.stream.id, 'GIR_ERR_INTERNAL'),
    ];
    await ends.settle();
    ends.edge.carrier.receive(Buffer.concat(late));
    expect([opened.heads, opened.chunks, opened.overs]).toEqual([[], [], 0]);
    expect(ends.edge.closes).toEqual([]);
    leavesNothing(ends);
  });

  it('inside a callback ends the callbacks', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(octets(10));
      stream.sendEnd();
    };
    const opened = ends.edge.open({ isEnd: false });
    opened.react = ({ stream }) => stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    await ends.settle();
    expect([opened.chunks.length, opened.overs]).toEqual([1, 0]);
    leavesNothing(ends);
  });

  it('of a stream whose window was reserved returns the window, before and after any data', async () => {
    const ends = createEnds({ edge: { consumes: false } });
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(octets(100_000));
    };
    const early = ends.edge.open({ consumes: false });
    const late = ends.edge.open({ consumes: false });
    early.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    await ends.settle();
    late.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    await ends.settle();
    leavesNothing(ends);
  });
});

describe('the end of a carrier', () => {
  it('by loss fails every stream once with GIR_ERR_SESSION_LOST, and then the owner is told once', async () => {
    const ends = createEnds();
    const order: string[] = [];
    const sinks = [ends.edge.open(), ends.edge.open({ isEnd: false })];
    for (const sink of sinks) {
      sink.onReset = (error) => {
        sink.resets.push(error);
        order.push(`reset, ${ends.edge.closes.length} closes`);
      };
    }
    await ends.settle();
    ends.edge.carrier.lose(new GiraffeError('GIR_ERR_SESSION_LOST', 'read ECONNRESET'));
    ends.edge.carrier.lose(new GiraffeError('GIR_ERR_SESSION_LOST', 'again'));
    expect(sinks.map(({ resets }) => resets.map(({ code }) => code))).toEqual([
      ['GIR_ERR_SESSION_LOST'],
      ['GIR_ERR_SESSION_LOST'],
    ]);
    expect(order).toEqual(['reset, 0 closes', 'reset, 0 closes']);
    expect(ends.edge.closes.map(({ code, message }) => [code, message])).toEqual([
      ['GIR_ERR_SESSION_LOST', 'read ECONNRESET'],
    ]);
    expect([ends.edge.multiplexer.isOpen, ends.edge.multiplexer.isHealthy]).toEqual([false, false]);
    await ends.settle();
    expect(ends.misuses).toEqual([]);
  });

  it.each(['lose', 'close', 'destroy'] as const)('by %s() is told to all, whatever one of them throws', (how) => {
    const ends = createEnds();
    const sinks = [ends.edge.open(), ends.edge.open(), ends.edge.open()];
    for (const sink of sinks.slice(0, 2)) {
      sink.onReset = (error) => {
        sink.resets.push(error);
        throw new Error('a bug');
      };
    }
    const error = new GiraffeError('GIR_ERR_SESSION_LOST');
    const end = (): void => (how === 'lose' ? ends.edge.carrier.lose(error) : ends.edge.multiplexer[how](error));
    expect(end).toThrow('a bug');
    expect(sinks.map(({ resets }) => resets.length)).toEqual([1, 1, 1]);
    expect([ends.edge.multiplexer.streams, ends.edge.pool.freeBytes]).toEqual([0, 64 * mebibyte]);
    if (how === 'close') ends.edge.carrier.deliver();
    expect(ends.edge.closes).toHaveLength(1);
  });

  it('by close() tells the other end why, and fails the streams on both', async () => {
    const ends = createEnds();
    const opened = ends.edge.open({ isEnd: false });
    await ends.settle();
    ends.edge.multiplexer.close(new GiraffeError('GIR_ERR_SESSION_REPLACED', 'a newer one came'));
    ends.edge.multiplexer.close(new GiraffeError('GIR_ERR_INTERNAL'));
    expect([ends.edge.multiplexer.isOpen, opened.resets.map(({ code }) => code)]).toEqual([
      false,
      ['GIR_ERR_SESSION_LOST'],
    ]);
    await ends.settle();
    expect(ends.agent.goAways.map(({ reason, isAck }) => [reason.code, reason.message, isAck])).toEqual([
      ['GIR_ERR_SESSION_REPLACED', 'a newer one came', false],
    ]);
    expect(ends.edge.closes.map(({ code }) => code)).toEqual(['GIR_ERR_SESSION_REPLACED']);
    expect(ends.agent.closes).toHaveLength(1);
    expect(ends.agent.lastAccepted.resets.map(({ code }) => code)).toEqual(['GIR_ERR_SESSION_LOST']);
    leavesNothing(ends);
  });

  it.each(['lose', 'close', 'destroy'] as const)('by %s() stops the pings', (how) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const ends = createEnds();
    const before = vi.getTimerCount();
    const error = new GiraffeError('GIR_ERR_SESSION_LOST');
    if (how === 'lose') ends.edge.carrier.lose(error);
    else ends.edge.multiplexer[how](error);
    // destroy() ends the agent's side of the link, too.
    expect([before, vi.getTimerCount()]).toEqual([2, how === 'destroy' ? 0 : 1]);
  });

  it('by close() leaves behind what was said before: the last answer of a drain is not lost (T5)', async () => {
    const ends = createEnds();
    const opened = ends.edge.open();
    await ends.settle();
    ends.agent.lastAccepted.stream.sendHead(responsePayload(204), { isEnd: true });
    expect(ends.agent.multiplexer.streams).toBe(0);
    ends.agent.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    await ends.settle();
    expect([opened.heads.length, opened.resets]).toEqual([1, []]);
    expect(ends.edge.goAways.map(({ reason }) => reason.code)).toEqual(['GIR_ERR_DRAINING']);
    leavesNothing(ends);
  });

  it('by close() of the agent sends an answer that is whole with its body, in front of the reason', async () => {
    const ends = createEnds();
    const sink = ends.edge.open({ isEnd: true });
    await ends.settle();
    const { stream } = ends.agent.lastAccepted;
    stream.sendHead(responsePayload());
    stream.sendData(octets(5000));
    stream.sendEnd();
    ends.agent.multiplexer.close(new GiraffeError('GIR_ERR_SESSION_REPLACED'));
    await ends.settle();
    expect(sink.body.equals(octets(5000))).toBe(true);
    expect([sink.ends, sink.resets.length]).toEqual([1, 0]);
    expect(ends.misuses).toEqual([]);
  });

  it('by close() sends nothing of streams that have not ended', async () => {
    const ends = createEnds();
    const opened = ends.edge.open({ isEnd: false });
    await ends.settle();
    opened.stream.sendData(Buffer.from('half'));
    ends.edge.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    await ends.settle();
    expect(ends.agent.lastAccepted.body).toHaveLength(0);
  });

  it('by destroy() is seen at once: nothing is opened on it or read from it any more', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => {
      stream.sendHead(responsePayload());
      stream.sendData(Buffer.from('a'));
      stream.sendData(Buffer.from('b'));
    };
    const opened = ends.edge.open();
    opened.onHead = () => ends.edge.multiplexer.destroy(new GiraffeError('GIR_ERR_SESSION_REPLACED'));
    await ends.settle();
    expect(opened.chunks).toEqual([]);
    expect(opened.resets).toHaveLength(1);
    expect(ends.edge.closes.map(({ code }) => code)).toEqual(['GIR_ERR_SESSION_REPLACED']);
    expect(ends.misuses).toEqual([]);
  });

  it('is seen before the carrier says so, when it takes its time', async () => {
    const ends = createEnds();
    await ends.settle();
    ends.edge.carrier.destroy = () => {};
    ends.edge.multiplexer.destroy(new GiraffeError('GIR_ERR_PING_TIMEOUT'));
    expect([ends.edge.multiplexer.isOpen, ends.edge.multiplexer.isHealthy]).toEqual([false, false]);
    ends.edge.open();
    await turn();
    expect(ends.edge.carrier.queuedBytes).toBe(0);
    ends.edge.carrier.lose(undefined);
    expect(ends.edge.closes.map(({ code }) => code)).toEqual(['GIR_ERR_PING_TIMEOUT']);
  });

  it('inside a callback ends the callbacks of all streams, also for frames that came with it', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload());
    const first = ends.edge.open();
    const second = ends.edge.open();
    first.onHead = () => ends.edge.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    await ends.settle();
    expect(second.heads).toEqual([]);
    expect(second.resets).toHaveLength(1);
    expect(ends.misuses).toEqual([]);
  });

  it('inside onWritable sends nothing behind the close', async () => {
    const ends = createEnds();
    const opened = ends.edge.open({ isEnd: false });
    opened.onWritable = () => ends.edge.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    opened.stream.sendData(Buffer.alloc(70_000));
    await ends.settle();
    expect(ends.agent.goAways).toHaveLength(1);
    expect(ends.misuses).toEqual([]);
  });
});

describe('going away', () => {
  it('tells the owner, and the consent comes behind the last stream that was opened', async () => {
    const ends = createEnds();
    await ends.settle();
    const seen: string[] = [];
    ends.agent.onAccept = ({ stream }) => void seen.push(`stream ${stream.id}`);
    ends.agent.multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING', 'stopping'));
    ends.edge.open();
    ends.edge.open();
    ends.edge.multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING'), true);
    const { push } = ends.agent.goAways;
    ends.agent.goAways.push = (...items) => {
      seen.push('consent');
      return push.apply(ends.agent.goAways, items);
    };
    await ends.settle();
    expect(ends.edge.goAways.map(({ reason, isAck }) => [reason.code, reason.message, isAck])).toEqual([
      ['GIR_ERR_DRAINING', 'stopping', false],
    ]);
    expect(seen).toEqual(['stream 1', 'stream 2', 'consent']);
    expect(ends.agent.goAways.map(({ isAck }) => isAck)).toEqual([true]);
    expect([ends.edge.multiplexer.isOpen, ends.agent.multiplexer.isOpen]).toEqual([true, true]);
  });
});

describe('the handshake', () => {
  it('carries HELLO and WELCOME, and admits the carrier when it is activated', async () => {
    const link = linkedCarriers();
    const edge = new TestEnd('edge', link.edge);
    const agent = new TestEnd('agent', link.agent);
    edge.onHandshake = () => {
      edge.multiplexer.handshake(frameType.welcome, Buffer.from('come in'));
      edge.activate();
    };
    agent.onHandshake = () => agent.activate();
    agent.multiplexer.handshake(frameType.hello, Buffer.from('it is me'));
    expect([edge.multiplexer.isOpen, link.edge.isAdmitted]).toEqual([false, false]);
    await settle(link, 1);
    expect([edge.handshakes, agent.handshakes]).toEqual([['it is me'], ['come in']]);
    expect([edge.multiplexer.isOpen, agent.multiplexer.isOpen]).toEqual([true, true]);
    expect([link.edge.isAdmitted, link.agent.isAdmitted]).toEqual([true, true]);
    edge.open();
    await settle(link);
    expect(agent.accepted.size).toBe(1);
  });

  it('may be refused: the reason arrives, and the carrier ends', async () => {
    const link = linkedCarriers();
    const edge = new TestEnd('edge', link.edge);
    const agent = new TestEnd('agent', link.agent);
    edge.onHandshake = () => edge.multiplexer.close(new GiraffeError('GIR_ERR_CREDENTIALS_REFUSED'));
    agent.multiplexer.handshake(frameType.hello, Buffer.from('it is me'));
    await settle(link);
    expect(agent.goAways.map(({ reason }) => reason.code)).toEqual(['GIR_ERR_CREDENTIALS_REFUSED']);
    expect([edge.closes.length, agent.closes.length]).toEqual([1, 1]);
  });

  it('carries tickets afterwards', async () => {
    const ends = createEnds();
    ends.agent.multiplexer.ticket(Buffer.alloc(0));
    ends.edge.multiplexer.ticket(Buffer.from('ticket-1'));
    await ends.settle();
    expect([ends.edge.tickets, ends.agent.tickets]).toEqual([[''], ['ticket-1']]);
  });

  it('happens once: activating again changes nothing', async () => {
    const ends = createEnds();
    await ends.settle();
    const sent = ends.edge.carrier.sentBytes;
    ends.edge.activate();
    await ends.settle();
    expect(ends.edge.carrier.sentBytes).toBe(sent);
  });
});

describe('streams beyond the limit', () => {
  it('are refused with GIR_ERR_STREAM_LIMIT, and accepted again when others have ended', async () => {
    const ends = createEnds({ agent: { maxInboundStreams: 2 } });
    const sinks = [ends.edge.open(), ends.edge.open(), ends.edge.open()];
    await ends.settle();
    expect(sinks.map(({ resets }) => resets.map(({ code }) => code))).toEqual([[], [], ['GIR_ERR_STREAM_LIMIT']]);
    sinks[0]?.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    const next = ends.edge.open();
    await ends.settle();
    expect(next.resets).toEqual([]);
    expect(ends.agent.accepted.size).toBe(3);
  });

  it('do no harm when they come in great numbers from a peer that reads', async () => {
    const ends = createEnds({ agent: { maxInboundStreams: 1 } });
    const sinks: RecordingSink[] = [];
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 300; count += 1) sinks.push(ends.edge.open());
      await ends.settle();
    }
    expect(sinks.filter(({ resets }) => resets.length === 1)).toHaveLength(5999);
    expect(ends.agent.closes).toEqual([]);
    expect(ends.edge.multiplexer.streams).toBe(1);
  });
});

describe('reserved ids', () => {
  it('may have gaps and be anything up to 2^32 - 1', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload(), { isEnd: true });
    const sinks = [ends.edge.open({ id: 5 }), ends.edge.open({ id: 1000 }), ends.edge.open({ id: 0xffff_ffff })];
    await ends.settle();
    expect(sinks.map(({ ends: count }) => count)).toEqual([1, 1, 1]);
    expect([...ends.agent.accepted.keys()]).toEqual([5, 1000, streamId(0xffff_ffff)]);
    leavesNothing(ends);
  });

  it('end with a carrier that has none left: what is open is lost, and the agent is told to come back', async () => {
    const ends = createEnds();
    const [last, none] = [ends.edge.open({ id: 0xffff_ffff }), ends.edge.open({ id: 2 ** 32 })];
    await ends.settle();
    expect([last, none].map(({ resets }) => resets.map(({ code }) => code))).toEqual([
      ['GIR_ERR_SESSION_LOST'],
      ['GIR_ERR_SESSION_LOST'],
    ]);
    expect(ends.agent.goAways.map(({ reason }) => reason.code)).toEqual(['GIR_ERR_DRAINING']);
    leavesNothing(ends);
  });
});
