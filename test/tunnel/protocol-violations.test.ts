import { describe, expect, it } from 'vitest';
import { codes } from '../../src/errors/codes.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import {
  flagEndStream,
  flagInterim,
  frameType,
  maxFramePayloadBytes,
  maxHandshakePayloadBytes,
} from '../../src/protocol/frame.ts';
import { decodeReason } from '../../src/protocol/handshake.ts';
import { initialWindowBytes, minWindowBytes } from '../../src/protocol/receive-window.ts';
import { type LinkedCarrier, linkedCarriers, turn } from '../support/linked-carriers.ts';
import { createEnds, openRequestPayload, responsePayload, TestEnd } from '../support/multiplexer-ends.ts';
import { rawFrame, readRawFrames, windowPayload } from '../support/raw-frames.ts';

const { head, data, end, reset, window, ping, pong, goAway, hello, welcome, ticket, status, withdraw } = frameType;
const maxCreditBytes = 2 ** 31 - 1;

/** An end whose peer is this test. */
function lonelyEnd(role: 'edge' | 'agent', options: ConstructorParameters<typeof TestEnd>[2] = {}): TestEnd {
  return new TestEnd(role, linkedCarriers()[role], options);
}

function activeEnd(role: 'edge' | 'agent', options: ConstructorParameters<typeof TestEnd>[2] = {}): TestEnd {
  const one = lonelyEnd(role, options);
  one.activate();
  return one;
}

/** The code of the GOAWAY that was the last thing said, if it was. */
function lastWords(carrier: LinkedCarrier): string | undefined {
  const last = readRawFrames(Buffer.concat(carrier.sent)).at(-1);
  return last?.type === goAway ? decodeReason(last.payload).code : undefined;
}

/** Delivers what the end still has to say, so that its close can finish. */
function finish({ carrier }: TestEnd): void {
  carrier.deliver();
}

const openRequest = (id: number, flags = 0, windowBytes = 0): Buffer =>
  rawFrame(head, flags, id, openRequestPayload('/', windowBytes));

describe('an agent closes a carrier whose edge', () => {
  const opened = openRequest(5);
  it.each([
    ['opens a stream twice', 'GIR_ERR_PROTOCOL', [opened, openRequest(5)]],
    ['opens a stream below an earlier one', 'GIR_ERR_PROTOCOL', [opened, openRequest(4)]],
    ['sends DATA on a stream never opened', 'GIR_ERR_PROTOCOL', [rawFrame(data, 0, 1, 'x')]],
    ['sends an empty DATA frame on a stream never opened', 'GIR_ERR_PROTOCOL', [rawFrame(data, 0, 1)]],
    ['sends END on a stream never opened', 'GIR_ERR_PROTOCOL', [opened, rawFrame(end, 0, 6)]],
    ['resets a stream never opened', 'GIR_ERR_PROTOCOL', [opened, rawFrame(reset, 0, 6, 'GIR_ERR_CANCELLED')]],
    ['gives credit to a stream never opened', 'GIR_ERR_PROTOCOL', [rawFrame(window, 0, 1, windowPayload(1))]],
    ['sends END after END', 'GIR_ERR_PROTOCOL', [opened, rawFrame(end, 0, 5), rawFrame(end, 0, 5)]],
    ['sends DATA after END', 'GIR_ERR_PROTOCOL', [opened, rawFrame(end, 0, 5), rawFrame(data, 0, 5, 'x')]],
    ['sends DATA after the end flag', 'GIR_ERR_PROTOCOL', [openRequest(5, flagEndStream), rawFrame(data, 0, 5, 'x')]],
    [
      'sends END after the end flag',
      'GIR_ERR_PROTOCOL',
      [opened, rawFrame(data, flagEndStream, 5), rawFrame(end, 0, 5)],
    ],
    ['opens stream 0', 'GIR_ERR_PROTOCOL', [openRequest(0)]],
    ['sends DATA on stream 0', 'GIR_ERR_PROTOCOL', [rawFrame(data, 0, 0, 'x')]],
    ['sends empty DATA on stream 0', 'GIR_ERR_PROTOCOL', [rawFrame(data, flagEndStream, 0)]],
    ['sends END on stream 0', 'GIR_ERR_PROTOCOL', [rawFrame(end, 0, 0)]],
    ['resets stream 0', 'GIR_ERR_PROTOCOL', [rawFrame(reset, 0, 0, 'GIR_ERR_CANCELLED')]],
    ['gives credit to stream 0', 'GIR_ERR_PROTOCOL', [rawFrame(window, 0, 0, windowPayload(1))]],
    ['pings on a stream', 'GIR_ERR_PROTOCOL', [opened, rawFrame(ping, 0, 5, '12345678')]],
    ['answers a ping on a stream', 'GIR_ERR_PROTOCOL', [opened, rawFrame(pong, 0, 5, '12345678')]],
    ['goes away on a stream', 'GIR_ERR_PROTOCOL', [opened, rawFrame(goAway, 0, 5, 'GIR_ERR_DRAINING')]],
    ['hands out a ticket on a stream', 'GIR_ERR_PROTOCOL', [opened, rawFrame(ticket, 0, 5, 'x')]],
    ['opens a stream with an interim head', 'GIR_ERR_PROTOCOL', [openRequest(5, flagInterim)]],
    ['gives no credit', 'GIR_ERR_PROTOCOL', [opened, rawFrame(window, 0, 5, windowPayload(0))]],
    ['gives credit in 3 octets', 'GIR_ERR_PROTOCOL', [opened, rawFrame(window, 0, 5, '\0\0\x01')]],
    ['gives credit in 5 octets', 'GIR_ERR_PROTOCOL', [opened, rawFrame(window, 0, 5, '\0\0\0\0\x01')]],
    [
      'gives too much credit',
      'GIR_ERR_FLOW_CONTROL',
      [openRequest(5, 0, 1), rawFrame(window, 0, 5, windowPayload(maxCreditBytes))],
    ],
    ['gives 2^32 - 1 of credit', 'GIR_ERR_FLOW_CONTROL', [opened, rawFrame(window, 0, 5, windowPayload(0xffff_ffff))]],
    [
      'sends more than its credit',
      'GIR_ERR_FLOW_CONTROL',
      [opened, rawFrame(data, 0, 5, Buffer.alloc(minWindowBytes + 1))],
    ],
    ['opens a stream with a malformed head', 'GIR_ERR_PROTOCOL', [rawFrame(head, 0, 5, 'GET /')]],
    ['sends malformed trailers', 'GIR_ERR_PROTOCOL', [opened, rawFrame(end, 0, 5, 'x')]],
    ['sends an unknown type', 'GIR_ERR_PROTOCOL', [rawFrame(12, 0, 0)]],
    ['says HELLO', 'GIR_ERR_PROTOCOL', [rawFrame(hello, 0, 0, '{}')]],
    ['says WELCOME again', 'GIR_ERR_PROTOCOL', [rawFrame(welcome, 0, 0, '{}')]],
    [
      'sends a frame above 1 MiB',
      'GIR_ERR_FRAME_TOO_LARGE',
      [rawFrame(head, 0, 5, Buffer.alloc(maxFramePayloadBytes + 1))],
    ],
  ])('%s (S9)', (_what, code, frames) => {
    const agent = activeEnd('agent', { consumes: false });
    for (const frame of frames) agent.carrier.receive(frame);
    expect(lastWords(agent.carrier)).toBe(code);
    finish(agent);
    expect(agent.closes.map((reason) => reason.code)).toEqual([code]);
    expect(agent.multiplexer.streams).toBe(0);
    expect(agent.pool.freeBytes).toBe(64 * 1024 * 1024);
    expect([...agent.accepted.values()].every(({ overs }) => overs >= 1)).toBe(true);
    expect(agent.carrier.misuses).toEqual([]);
  });
});

describe('an edge closes a carrier whose agent', () => {
  const answered = rawFrame(head, 0, 1, responsePayload());
  it.each([
    ['opens a stream', 'GIR_ERR_PROTOCOL', [rawFrame(head, 0, 2, responsePayload())]],
    ['sends DATA before the head', 'GIR_ERR_PROTOCOL', [rawFrame(data, 0, 1, 'x')]],
    ['sends END before the head', 'GIR_ERR_PROTOCOL', [rawFrame(end, 0, 1)]],
    ['sends two final heads', 'GIR_ERR_PROTOCOL', [answered, answered]],
    [
      'sends an interim head after the final one',
      'GIR_ERR_PROTOCOL',
      [answered, rawFrame(head, flagInterim, 1, responsePayload(103))],
    ],
    [
      'ends a stream with an interim head',
      'GIR_ERR_PROTOCOL',
      [rawFrame(head, flagInterim | flagEndStream, 1, responsePayload(103))],
    ],
    ['sends END after END', 'GIR_ERR_PROTOCOL', [answered, rawFrame(end, 0, 1), rawFrame(end, 0, 1)]],
    [
      'sends more than the window at once',
      'GIR_ERR_FLOW_CONTROL',
      [answered, rawFrame(data, 0, 1, Buffer.alloc(initialWindowBytes)), rawFrame(data, 0, 1, 'x')],
    ],
    ['gives credit to a stream never opened', 'GIR_ERR_PROTOCOL', [rawFrame(window, 0, 2, windowPayload(1))]],
    ['gives too much credit', 'GIR_ERR_FLOW_CONTROL', [rawFrame(window, 0, 1, windowPayload(maxCreditBytes))]],
    ['says HELLO again', 'GIR_ERR_PROTOCOL', [rawFrame(hello, 0, 0, '{}')]],
    ['says WELCOME', 'GIR_ERR_PROTOCOL', [rawFrame(welcome, 0, 0, '{}')]],
    ['withdraws an endpoint', 'GIR_ERR_PROTOCOL', [rawFrame(withdraw, 0, 0, '{"endpoint":"a.test","reason":""}')]],
  ])('%s (S9)', (_what, code, frames) => {
    const edge = activeEnd('edge');
    const sink = edge.open({ isEnd: false, consumes: false });
    for (const frame of frames) edge.carrier.receive(frame);
    expect(lastWords(edge.carrier)).toBe(code);
    finish(edge);
    expect(edge.closes.map((reason) => reason.code)).toEqual([code]);
    expect(sink.resets.map((error) => error.code)).toEqual(['GIR_ERR_SESSION_LOST']);
    expect([edge.multiplexer.streams, edge.pool.freeBytes]).toEqual([0, 64 * 1024 * 1024]);
    expect(edge.carrier.misuses).toEqual([]);
  });
});

describe('a violation', () => {
  it('closes the one carrier and no other', async () => {
    const [bad, good] = [createEnds(), createEnds()];
    good.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload(), { isEnd: true });
    const sink = good.edge.open();
    bad.edge.carrier.receive(rawFrame(data, 0, 7, 'x'));
    await Promise.all([bad.settle(), good.settle()]);
    expect([bad.edge.closes.length, bad.agent.closes.length]).toEqual([1, 1]);
    expect(bad.agent.goAways.map(({ reason }) => reason.code)).toEqual(['GIR_ERR_PROTOCOL']);
    expect([sink.ends, good.edge.closes, good.agent.closes]).toEqual([1, [], []]);
  });

  it('ends the reading: what follows in the same piece has no effect', () => {
    const agent = activeEnd('agent');
    agent.carrier.receive(Buffer.concat([rawFrame(data, 0, 9, 'x'), openRequest(10)]));
    agent.carrier.receive(openRequest(11));
    expect(agent.accepted.size).toBe(0);
  });

  it('behind a close() of our own in the same piece is not looked at', () => {
    const edge = lonelyEnd('edge');
    edge.onHandshake = () => edge.multiplexer.close(new GiraffeError('GIR_ERR_CREDENTIALS_REFUSED'));
    const frames = [
      rawFrame(hello, 0, 0, 'a'),
      rawFrame(hello, 0, 0, 'b'),
      rawFrame(ticket, 0, 0),
      rawFrame(data, 0, 1, 'x'),
    ];
    edge.carrier.receive(Buffer.concat(frames));
    expect([edge.handshakes, edge.tickets]).toEqual([['a'], []]);
    expect(lastWords(edge.carrier)).toBe('GIR_ERR_CREDENTIALS_REFUSED');
  });

  it('cannot open streams behind a close() in the same piece', () => {
    const agent = activeEnd('agent');
    agent.onAccept = () => agent.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    agent.carrier.receive(Buffer.concat([openRequest(1), openRequest(2), openRequest(3)]));
    expect([...agent.accepted.keys()]).toEqual([1]);
    finish(agent);
    expect(agent.multiplexer.streams).toBe(0);
  });

  it('by a bug of ours is told to the other end without its details', () => {
    const agent = activeEnd('agent');
    agent.onAccept = () => {
      throw new TypeError('cannot read /etc/secret');
    };
    agent.carrier.receive(openRequest(1));
    expect(lastWords(agent.carrier)).toBe('GIR_ERR_INTERNAL');
    expect(String(Buffer.concat(agent.carrier.sent))).not.toContain('secret');
    finish(agent);
    expect(agent.closes.map(({ message }) => message)).toEqual(['cannot read /etc/secret']);
  });
});

describe('before the handshake', () => {
  it.each([
    ['HEAD', rawFrame(head, 0, 1, openRequestPayload())],
    ['DATA', rawFrame(data, 0, 1, 'x')],
    ['empty DATA', rawFrame(data, 0, 1)],
    ['END', rawFrame(end, 0, 1)],
    ['RESET', rawFrame(reset, 0, 1, 'GIR_ERR_CANCELLED')],
    ['WINDOW', rawFrame(window, 0, 1, windowPayload(1))],
    ['PING', rawFrame(ping, 0, 0, '12345678')],
    ['PONG', rawFrame(pong, 0, 0, '12345678')],
    ['TICKET', rawFrame(ticket, 0, 0)],
    ['STATUS', rawFrame(status, 0, 0, '{}')],
    ['WITHDRAW', rawFrame(withdraw, 0, 0, '{}')],
  ])('%s is refused, by both roles', (_what, frame) => {
    for (const role of ['edge', 'agent'] as const) {
      const one = lonelyEnd(role);
      one.carrier.receive(frame);
      expect(lastWords(one.carrier)).toBe('GIR_ERR_PROTOCOL');
    }
  });

  it('a handshake frame of 16 KiB is read, one octet more is refused from its header alone', () => {
    const one = lonelyEnd('edge');
    one.carrier.receive(rawFrame(hello, 0, 0, Buffer.alloc(maxHandshakePayloadBytes)));
    expect(one.handshakes).toHaveLength(1);
    const other = lonelyEnd('edge');
    other.carrier.receive(rawFrame(hello, 0, 0, Buffer.alloc(maxHandshakePayloadBytes + 1)).subarray(0, 9));
    expect(lastWords(other.carrier)).toBe('GIR_ERR_FRAME_TOO_LARGE');
  });

  it('a second HELLO is refused, so that nobody guesses tokens on one connection', () => {
    const edge = lonelyEnd('edge');
    edge.carrier.receive(rawFrame(hello, 0, 0, 'a'));
    edge.carrier.receive(rawFrame(hello, 0, 0, 'b'));
    expect([edge.handshakes, lastWords(edge.carrier)]).toEqual([['a'], 'GIR_ERR_PROTOCOL']);
  });

  it.each([
    ['edge', welcome],
    ['agent', hello],
  ] as const)("the %s refuses the other role's frame, type %i", (role, type) => {
    const one = lonelyEnd(role);
    one.carrier.receive(rawFrame(type, 0, 0, '{}'));
    expect([one.handshakes, lastWords(one.carrier)]).toEqual([[], 'GIR_ERR_PROTOCOL']);
  });

  it('a GOAWAY is the refusal', () => {
    const agent = lonelyEnd('agent');
    agent.carrier.receive(rawFrame(goAway, 0, 0, 'GIR_ERR_CREDENTIALS_REFUSED\nno'));
    expect(agent.goAways.map(({ reason }) => [reason.code, reason.message])).toEqual([
      ['GIR_ERR_CREDENTIALS_REFUSED', 'no'],
    ]);
  });

  it('nothing is said first: not even a ping', async () => {
    const edge = lonelyEnd('edge');
    await turn();
    expect(edge.carrier.sentBytes).toBe(0);
  });
});

describe('a flood', () => {
  const pings = Buffer.concat(Array.from({ length: 200 }, () => rawFrame(ping, 0, 0, '12345678')));

  it('of pings from a peer that does not read ends the carrier with GIR_ERR_ENHANCE_CALM (S5)', async () => {
    const agent = activeEnd('agent');
    for (let round = 0; round < 500; round += 1) {
      agent.carrier.receive(pings);
      await turn();
    }
    expect(lastWords(agent.carrier)).toBe('GIR_ERR_ENHANCE_CALM');
    expect(agent.carrier.queuedBytes).toBeLessThan(512 * 1024);
  });

  it('of pings from a peer that reads is answered', async () => {
    const agent = activeEnd('agent');
    for (let round = 0; round < 500; round += 1) {
      agent.carrier.receive(pings);
      await turn();
      agent.carrier.deliver();
    }
    const answers = readRawFrames(Buffer.concat(agent.carrier.sent)).filter(({ type }) => type === pong);
    expect(answers).toHaveLength(100_000);
    expect(answers.every(({ payload }) => String(payload) === '12345678')).toBe(true);
    expect(agent.closes).toEqual([]);
  });

  it('of streams beyond the limit from a peer that does not read ends the carrier with GIR_ERR_ENHANCE_CALM', async () => {
    const agent = activeEnd('agent', { maxInboundStreams: 10 });
    let id = 0;
    for (let round = 0; round < 500; round += 1) {
      const heads = Array.from({ length: 100 }, () => {
        id += 1;
        return openRequest(id);
      });
      agent.carrier.receive(Buffer.concat(heads));
      await turn();
    }
    expect(lastWords(agent.carrier)).toBe('GIR_ERR_ENHANCE_CALM');
    expect(agent.accepted.size).toBe(10);
    expect(agent.carrier.queuedBytes).toBeLessThan(512 * 1024);
  });

  it('of requests that are answered at once, from a peer that does not read the answers, is bounded', async () => {
    const agent = activeEnd('agent', { maxInboundStreams: 10 });
    const answer = Buffer.concat([responsePayload(), Buffer.from(`\nX:${'y'.repeat(60_000)}`)]);
    agent.onAccept = ({ stream }) => stream.sendHead(answer, { isEnd: true });
    let id = 0;
    let queuedBytes = 0;
    while (id < 5000 && agent.multiplexer.isOpen) {
      id += 1;
      queuedBytes += answer.length;
      agent.carrier.receive(openRequest(id, flagEndStream));
      await turn();
    }
    expect(agent.closes.map(({ code }) => code)).toEqual(['GIR_ERR_ENHANCE_CALM']);
    expect(queuedBytes).toBeLessThan(70 * 1024 * 1024);
  });

  it('of clients that give up while the agent does not read is bounded at the edge, and does not end the carrier', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload(204), { isEnd: true });
    await ends.settle();
    const path = `/${'x'.repeat(60_000)}`;
    const sentBefore = ends.edge.carrier.sentBytes;
    for (let count = 0; count < 2000; count += 1) {
      const { stream } = ends.edge.open({ path });
      stream.sendData(Buffer.from('body'));
      stream.sendEnd([['a', 'b']]);
      stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
      await turn();
    }
    const refused = ends.edge.open();
    await turn();
    expect(refused.resets.map(({ code }) => code)).toEqual(['GIR_ERR_STREAM_LIMIT']);
    await ends.settle();
    // What had to wait has left: not much more than the bound, and nothing that the agent does not understand.
    expect(ends.edge.carrier.sentBytes - sentBefore).toBeLessThan(40 * 1024 * 1024);
    const accepted = ends.edge.open();
    await ends.settle();
    expect(accepted.ends).toBe(1);
    expect([ends.edge.closes, ends.agent.closes]).toEqual([[], []]);
    expect([ends.edge.multiplexer.streams, ends.edge.pool.freeBytes]).toEqual([0, 64 * 1024 * 1024]);
  });

  it('of 2,000 cancelled requests a second leaves nothing and disturbs nobody (hardening 2)', async () => {
    const ends = createEnds();
    ends.agent.onAccept = ({ stream }) => stream.sendHead(responsePayload());
    const steady = ends.edge.open({ isEnd: false });
    for (let second = 0; second < 5; second += 1) {
      const sinks = Array.from({ length: 2000 }, () => ends.edge.open());
      await turn();
      for (const { stream } of sinks) stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
      await ends.settle();
    }
    expect([steady.resets, ends.edge.closes, ends.agent.closes]).toEqual([[], [], []]);
    expect([ends.edge.multiplexer.streams, ends.agent.multiplexer.streams]).toEqual([1, 1]);
  });
});

describe('a GOAWAY', () => {
  it('with an unknown code is passed on as GIR_ERR_INTERNAL, whatever it says', () => {
    const agent = activeEnd('agent');
    agent.carrier.receive(rawFrame(goAway, 0, 0, Buffer.alloc(100_000, '\x1b')));
    expect(agent.goAways.map(({ reason }) => reason.code)).toEqual(['GIR_ERR_INTERNAL']);
    expect(agent.goAways[0]?.reason.message.length).toBeLessThan(codes.GIR_ERR_INTERNAL.summary.length + 500);
  });
});
