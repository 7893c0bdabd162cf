/** The frame protocol over the real carriers: what the in-memory tests cannot see. */
import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { frameType, streamId } from '../../src/protocol/frame.ts';
import { decodeOpenRequest } from '../../src/protocol/head-codec.ts';
import { CreditPool } from '../../src/protocol/receive-window.ts';
import type { Carrier } from '../../src/tunnel/carrier.ts';
import { Multiplexer } from '../../src/tunnel/multiplexer.ts';
import type { MultiplexerEvents } from '../../src/tunnel/multiplexer-ports.ts';
import type { Stream } from '../../src/tunnel/stream.ts';
import { openRequestPayload, RecordingSink, responsePayload } from '../support/multiplexer-ends.ts';
import { grpcCarriers, tlsCarriers } from '../support/real-carriers.ts';
import { sha256 } from '../support/sha256.ts';

const mebibyte = 1024 * 1024;

/** Waits, inside the sink, for its end or reset. */
class AwaitedSink extends RecordingSink {
  readonly over: Promise<void>;
  /** Resolves with the first octets of the body. */
  readonly begun: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    super();
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.begun = new Promise((resolve) => {
      this.react = () => resolve();
    });
  }

  override onHead(payload: Buffer, isInterim: boolean, isEnd: boolean): void {
    super.onHead(payload, isInterim, isEnd);
    if (isEnd) this.#resolve();
  }

  override onEnd(trailers: Parameters<RecordingSink['onEnd']>[0]): void {
    super.onEnd(trailers);
    this.#resolve();
  }

  override onReset(error: GiraffeError): void {
    super.onReset(error);
    this.#resolve();
  }
}

interface End {
  readonly multiplexer: Multiplexer;
  readonly pool: CreditPool;
  readonly goAways: string[];
  readonly closed: Promise<GiraffeError>;
}

function createEnd(role: 'edge' | 'agent', carrier: Carrier, events: Partial<MultiplexerEvents>): End {
  const pool = new CreditPool();
  const goAways: string[] = [];
  let onClose: (reason: GiraffeError) => void = () => {};
  const closed = new Promise<GiraffeError>((resolve) => {
    onClose = resolve;
  });
  const multiplexer = new Multiplexer(
    carrier,
    { role, creditPool: pool },
    {
      onHandshake: () => {},
      onOpen: () => new RecordingSink(),
      onTicket: () => {},
      onGoAway: ({ code }) => void goAways.push(code),
      onClose,
      ...events,
    },
  );
  return { multiplexer, pool, goAways, closed };
}

/** Two ends that have shaken hands over a carrier; the agent hands each stream to `onStream`. */
async function shakenHands(
  pair: { server: Carrier; client: Carrier },
  onStream: (stream: Stream, path: string) => RecordingSink,
): Promise<{ edge: End; agent: End }> {
  let isReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const edge: End = createEnd('edge', pair.server, {
    onHandshake: () => {
      edge.multiplexer.handshake(frameType.welcome, Buffer.from('{}'));
      edge.multiplexer.activate(60_000);
    },
  });
  const agent: End = createEnd('agent', pair.client, {
    onHandshake: () => {
      agent.multiplexer.activate(60_000);
      isReady();
    },
    onOpen: (stream, payload) => {
      const { head, windowBytes } = decodeOpenRequest(payload);
      stream.allow(windowBytes);
      return onStream(stream, head.target);
    },
  });
  agent.multiplexer.handshake(frameType.hello, Buffer.from('{}'));
  await ready;
  return { edge, agent };
}

function open({ multiplexer }: End, id: number, path: string): AwaitedSink {
  const sink = new AwaitedSink();
  const windowBytes = multiplexer.reserveWindow();
  sink.stream = multiplexer.open(streamId(id), openRequestPayload(path, windowBytes), false, windowBytes, sink);
  return sink;
}

/** Answers with `bytes` octets in chunks of 64 KiB, as fast as the stream takes them. */
function answerWith(stream: Stream, bytes: number): RecordingSink {
  const chunk = Buffer.alloc(65_536, 'x');
  const sink = new RecordingSink();
  let left = bytes;
  const send = (): void => {
    let hasRoom = true;
    while (left > 0 && hasRoom) {
      const piece = chunk.subarray(0, Math.min(left, chunk.length));
      left -= piece.length;
      hasRoom = stream.sendData(piece);
    }
    if (left === 0) stream.sendEnd();
  };
  sink.onWritable = send;
  stream.sendHead(responsePayload());
  send();
  return sink;
}

describe.each([
  ['TLS', tlsCarriers],
  ['gRPC', grpcCarriers],
] as const)('a multiplexer over %s', (_name, createPair) => {
  it('echoes a body of 20 MiB whole, and nothing is left', async () => {
    await using pair = await createPair();
    const { edge, agent } = await shakenHands(pair, (stream) => {
      const sink = new RecordingSink();
      stream.sendHead(responsePayload());
      stream.grant(agent.multiplexer.reserveWindow());
      sink.stream = stream;
      sink.react = ({ chunks }) => void stream.sendData(chunks.splice(0)[0] ?? Buffer.alloc(0));
      sink.onEnd = () => stream.sendEnd([['x-done', '1']]);
      return sink;
    });
    const body = Buffer.alloc(20 * mebibyte);
    for (let index = 0; index < body.length; index += 4) body.writeUInt32BE((index * 2_654_435_761) >>> 0, index);
    const sink = open(edge, 1, '/echo');
    sink.stream.sendData(body);
    sink.stream.sendEnd();
    await sink.over;
    expect(sha256(sink.body)).toBe(sha256(body));
    expect(sink.trailers).toEqual([['x-done', '1']]);
    expect([edge.multiplexer.streams, agent.multiplexer.streams]).toEqual([0, 0]);
    expect([edge.pool.freeBytes, agent.pool.freeBytes]).toEqual([64 * mebibyte, 64 * mebibyte]);
  });

  it('answers small requests while a bulk download runs, before it has ended (H14)', async () => {
    await using pair = await createPair();
    const { edge } = await shakenHands(pair, (stream, path) =>
      answerWith(stream, path === '/bulk' ? Number.POSITIVE_INFINITY : 1024),
    );
    const bulk = open(edge, 1, '/bulk');
    bulk.chunks.push = () => 0;
    for (let id = 2; id < 52; id += 1) {
      const small = open(edge, id, '/small');
      await small.over;
      expect(small.body).toHaveLength(1024);
    }
    expect(bulk.ends).toBe(0);
    bulk.stream.reset(new GiraffeError('GIR_ERR_CANCELLED'));
  });

  it.each(['edge', 'agent'] as const)('tells the other end why the %s closes', async (by) => {
    await using pair = await createPair();
    const ends = await shakenHands(pair, (stream) => answerWith(stream, 64 * mebibyte));
    const sink = open(ends.edge, 1, '/bulk');
    sink.chunks.push = () => 0;
    await sink.begun;
    ends[by].multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    const reasons = await Promise.all([ends.edge.closed, ends.agent.closed]);
    await sink.over;
    expect(ends[by === 'edge' ? 'agent' : 'edge'].goAways).toEqual(['GIR_ERR_DRAINING']);
    expect(reasons[by === 'edge' ? 0 : 1].code).toBe('GIR_ERR_DRAINING');
    expect(sink.resets.map(({ code }) => code)).toEqual(['GIR_ERR_SESSION_LOST']);
  });
});
