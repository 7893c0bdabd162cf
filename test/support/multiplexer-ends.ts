/** An edge's and an agent's multiplexer over linked carriers, with sinks that remember. */
import type { GiraffeError } from '../../src/errors/giraffe-error.ts';
import type { FieldLines } from '../../src/http/field-line.ts';
import { streamId } from '../../src/protocol/frame.ts';
import { decodeOpenRequest, encodeOpenRequest, encodeResponseHead } from '../../src/protocol/head-codec.ts';
import { CreditPool } from '../../src/protocol/receive-window.ts';
import { Multiplexer } from '../../src/tunnel/multiplexer.ts';
import type { Stream, StreamSink } from '../../src/tunnel/stream.ts';
import { type LinkedCarrier, linkedCarriers, settle } from './linked-carriers.ts';

/** A sink that remembers what it was told. */
export class RecordingSink implements StreamSink {
  readonly heads: { text: string; isInterim: boolean; isEnd: boolean }[] = [];
  readonly chunks: Buffer[] = [];
  readonly resets: GiraffeError[] = [];
  trailers: FieldLines | undefined;
  ends = 0;
  writables = 0;
  unread = 0;
  /** Reports everything as passed on at once. */
  consumes: boolean;
  /** Called with every piece of the body, before it is consumed. */
  react: ((sink: RecordingSink) => void) | undefined;
  #stream: Stream | undefined;

  constructor(consumes = true) {
    this.consumes = consumes;
  }

  get stream(): Stream {
    if (this.#stream === undefined) throw new Error('the sink has no stream yet');
    return this.#stream;
  }

  set stream(stream: Stream) {
    this.#stream = stream;
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Number of last words: ends and resets. */
  get overs(): number {
    return this.ends + this.resets.length;
  }

  consumeAll(): void {
    const { unread } = this;
    this.unread = 0;
    this.stream.consumed(unread);
  }

  onHead(payload: Buffer, isInterim: boolean, isEnd: boolean): void {
    this.heads.push({ text: payload.toString('latin1'), isInterim, isEnd });
    if (isEnd) this.ends += 1;
  }

  onData(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    this.unread += chunk.length;
    this.react?.(this);
    if (this.consumes) this.consumeAll();
  }

  onEnd(trailers: FieldLines): void {
    this.ends += 1;
    this.trailers = trailers;
  }

  onWritable(): void {
    this.writables += 1;
  }

  onReset(error: GiraffeError): void {
    this.resets.push(error);
  }
}

/** One end: a multiplexer and everything that it told its owner. */
export class TestEnd {
  readonly multiplexer: Multiplexer;
  readonly carrier: LinkedCarrier;
  readonly pool: CreditPool;
  readonly handshakes: string[] = [];
  readonly tickets: string[] = [];
  readonly goAways: { reason: GiraffeError; isAck: boolean }[] = [];
  readonly closes: GiraffeError[] = [];
  /** Sinks of streams that the other end opened, by id. */
  readonly accepted = new Map<number, RecordingSink>();
  /** The request that opened each accepted stream. */
  readonly requests: string[] = [];
  /** Called for each accepted stream, after its sink was made. */
  onAccept: (sink: RecordingSink) => void = () => {};
  onHandshake: () => void = () => {};
  #nextId = 1;

  constructor(role: 'edge' | 'agent', carrier: LinkedCarrier, options: EndOptions = {}) {
    this.carrier = carrier;
    this.pool = new CreditPool(options.poolBytes);
    const limit = options.maxInboundStreams === undefined ? {} : { maxInboundStreams: options.maxInboundStreams };
    this.multiplexer = new Multiplexer(
      carrier,
      { role, creditPool: this.pool, ...limit },
      {
        onHandshake: (_type, payload) => {
          this.handshakes.push(String(payload));
          this.onHandshake();
        },
        onOpen: (stream, payload, isEnd) => this.#accept(stream, payload, isEnd, options.consumes ?? true),
        onTicket: (payload) => void this.tickets.push(String(payload)),
        onGoAway: (reason, isAck) => void this.goAways.push({ reason, isAck }),
        onClose: (reason) => void this.closes.push(reason),
      },
    );
  }

  /** The newest stream the other end opened. */
  get lastAccepted(): RecordingSink {
    const sink = [...this.accepted.values()].at(-1);
    if (sink === undefined) throw new Error('no stream was accepted');
    return sink;
  }

  activate(): void {
    this.multiplexer.activate(60_000);
  }

  /** Opens a stream. */
  open({ isEnd = true, consumes = true, id = this.#nextId, path = '/' } = {}): RecordingSink {
    this.#nextId = id + 1;
    const sink = new RecordingSink(consumes);
    const windowBytes = this.multiplexer.reserveWindow();
    const payload = openRequestPayload(path, windowBytes);
    sink.stream = this.multiplexer.open(streamId(id), payload, isEnd, windowBytes, sink);
    return sink;
  }

  #accept(stream: Stream, payload: Buffer, isEnd: boolean, consumes: boolean): StreamSink {
    const { windowBytes, head } = decodeOpenRequest(payload);
    stream.allow(windowBytes);
    const sink = new RecordingSink(consumes);
    sink.stream = stream;
    sink.ends = isEnd ? 1 : 0;
    this.accepted.set(stream.id, sink);
    this.requests.push(head.target);
    this.onAccept(sink);
    return sink;
  }
}

/** What a test end can be made with. */
export interface EndOptions {
  readonly poolBytes?: number;
  readonly maxInboundStreams?: number;
  /** Whether sinks of accepted streams consume at once. Default true. */
  readonly consumes?: boolean;
}

/** Both ends, active. */
export interface TestEnds {
  readonly edge: TestEnd;
  readonly agent: TestEnd;
  /** Delivers both ways until nothing moves any more. */
  settle(pieceBytes?: number): Promise<void>;
  /** Octets in flight that were sent before the carriers stopped, and other misuse of carriers. */
  readonly misuses: string[];
}

/** Returns two ends that are past their handshake. */
export function createEnds(options: { edge?: EndOptions; agent?: EndOptions } = {}): TestEnds {
  const link = linkedCarriers();
  const edge = new TestEnd('edge', link.edge, options.edge);
  const agent = new TestEnd('agent', link.agent, options.agent);
  edge.activate();
  agent.activate();
  return {
    edge,
    agent,
    settle: (pieceBytes) => settle(link, pieceBytes),
    get misuses() {
      return [...link.edge.misuses, ...link.agent.misuses];
    },
  };
}

/** A request head for tests. */
export function openRequestPayload(path = '/', windowBytes = 0, upgrade?: string): Buffer {
  return encodeOpenRequest({
    head: { method: 'GET', target: path, minorVersion: 1, fields: [['Host', 'a.test']], body: { kind: 'chunked' } },
    endpoint: 'a.test',
    windowBytes,
    upgrade,
  });
}

/** A response head for tests. */
export function responsePayload(status = 200): Buffer {
  return encodeResponseHead({ status, reason: '', minorVersion: 1, fields: [], body: { kind: 'chunked' } });
}
