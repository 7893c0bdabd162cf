/**
 * Runs the frame protocol over one carrier: streams, batches, credit, pings, going away.
 *
 * Both ends use it; the edge opens streams and the agent accepts them. What the
 * frames' payloads mean is for the ends. Everything a turn of the event loop
 * queues leaves as one batch (`setImmediate` runs right behind the reads of that
 * turn, so a lone request is not held back).
 */
import { performance } from 'node:perf_hooks';
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import {
  type FrameType,
  flagAck,
  flagEndStream,
  flagInterim,
  frameType,
  maxFramePayloadBytes,
  maxHandshakePayloadBytes,
  noStream,
  type StreamId,
} from '../protocol/frame.ts';
import { FrameReader } from '../protocol/frame-reader.ts';
import { decodeReason, encodeReason } from '../protocol/handshake.ts';
import { OutboundQueue, type OutboundStream } from '../protocol/outbound-queue.ts';
import { CreditPool, minWindowBytes, ReceiveWindow } from '../protocol/receive-window.ts';
import type { Carrier } from './carrier.ts';
import { KeepAlive } from './keep-alive.ts';
import { ignoringSink, Stream, type StreamPort, type StreamSink } from './stream.ts';

/** A carrier holds at most about this many octets, so that a control frame is never behind more. */
const maxCarrierBytes = 256 * 1024;
/** Answers that the peer made us queue (PONG, RESET) and that have not left; more is abuse. */
const maxOwedFrames = 1000;
/** Frames beside DATA that wait for a peer that does not read may cost this much memory, in octets. */
const maxControlBytes = 64 * 1024 * 1024;
/** While so much waits, no head is added: clients and origins decide how many there are, and must not end the carrier. */
const maxHeadBytes = maxControlBytes / 2;

/** What a multiplexer tells its owner. */
export interface MultiplexerEvents {
  /** HELLO or WELCOME arrived. */
  onHandshake(type: typeof frameType.hello | typeof frameType.welcome, payload: Buffer): void;
  /** The other end opened a stream; returns who takes it, or throws when its head breaks the protocol. */
  onOpen(stream: Stream, payload: Buffer, isEnd: boolean): StreamSink;
  onTicket(payload: Buffer): void;
  /** The agent tells how its origins are. Absent where nobody should: it then breaks the protocol. */
  onStatus?(payload: Buffer): void;
  /** The other end will go away soon (`isAck`: or consents to our going) and wants no new streams. */
  onGoAway(reason: GiraffeError, isAck: boolean): void;
  /** The carrier is gone and every stream on it has been told. */
  onClose(reason: GiraffeError): void;
}

/** How a multiplexer is set up. */
export interface MultiplexerOptions {
  readonly role: 'edge' | 'agent';
  /** Shared by the carriers of one session. */
  readonly creditPool?: CreditPool;
  /** Streams the other end may have open at once; one more is refused. */
  readonly maxInboundStreams?: number;
}

/** The frame protocol on one carrier. */
export class Multiplexer implements StreamPort {
  readonly carrier: Carrier;
  readonly #options: MultiplexerOptions;
  readonly #events: MultiplexerEvents;
  readonly #queue = new OutboundQueue();
  readonly #streams = new Map<StreamId, Stream>();
  readonly #reader: FrameReader;
  readonly #keepAlive: KeepAlive;
  readonly #creditPool: CreditPool;
  #phase: 'handshake' | 'open' | 'closing' | 'closed' = 'handshake';
  #closeReason: GiraffeError | undefined;
  #highestStream: StreamId = noStream;
  #owedFrames = 0;
  #hasGreeting = false;
  #isFlushScheduled = false;

  constructor(carrier: Carrier, options: MultiplexerOptions, events: MultiplexerEvents) {
    this.carrier = carrier;
    this.#options = options;
    this.#events = events;
    this.#creditPool = options.creditPool ?? new CreditPool();
    this.#reader = new FrameReader(
      {
        onFrame: (type, flags, id, payload) => this.#receive(type as FrameType, flags, id, payload),
        onData: (id, piece, isEnd) => this.#receiveData(id, piece, isEnd),
      },
      maxHandshakePayloadBytes,
    );
    this.#keepAlive = new KeepAlive({
      sendPing: (payload) => this.control(frameType.ping, 0, noStream, payload),
      onDead: () => this.destroy(new GiraffeError('GIR_ERR_PING_TIMEOUT')),
    });
    carrier.start({
      onBytes: (chunk) => this.#read(chunk),
      onWritable: () => this.#flush(),
      onClose: (error) => this.#carrierClosed(error),
    });
  }

  /** Number of streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** True until the carrier is gone or going. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** True while the other end can still be let in. */
  get isWaiting(): boolean {
    return this.#phase === 'handshake';
  }

  /** True when the other end has answered its latest ping in time. */
  get isHealthy(): boolean {
    return this.#phase === 'open' && !this.#keepAlive.isOverdue;
  }

  get nowMs(): number {
    return performance.now();
  }

  get roundTripMs(): number {
    return this.#keepAlive.roundTripMs;
  }

  /** Sends HELLO or WELCOME. */
  handshake(type: typeof frameType.hello | typeof frameType.welcome, payload: Buffer): void {
    this.control(type, 0, noStream, payload);
  }

  /**
   * The other end is authenticated: streams may be opened from now on.
   * @param keepAliveMs Ping interval, in milliseconds. A peer that leaves two unanswered is dead.
   */
  activate(keepAliveMs: number): void {
    if (this.#phase !== 'handshake') return;
    this.#phase = 'open';
    this.#reader.raiseLimit(maxFramePayloadBytes);
    this.carrier.admit();
    this.#keepAlive.start(keepAliveMs);
  }

  /** Chooses the response window for a stream about to be opened, in octets. It belongs to that stream. */
  reserveWindow(): number {
    return ReceiveWindow.sizeFor(this.#creditPool);
  }

  /**
   * Opens a stream with its head. On a carrier that is gone or going, or has more heads waiting than it should, the
   * stream is lost right after this returns.
   * @param windowBytes From {@link reserveWindow}, and told to the other end in the head.
   */
  open(id: StreamId, payload: Buffer, isEnd: boolean, windowBytes: number, sink: StreamSink): Stream {
    const window = new ReceiveWindow(this.#creditPool, windowBytes, this.nowMs);
    const refusal = this.#openingRefusal();
    const stream = new Stream(id, minWindowBytes, window, sink, refusal === undefined ? this : this.#silentPort());
    this.#highestStream = id;
    this.#streams.set(id, stream);
    if (refusal === undefined) stream.sendHead(payload, { isEnd });
    else queueMicrotask(() => stream.fail(new GiraffeError(refusal)));
    return stream;
  }

  get hasRoomForHead(): boolean {
    return this.#queue.controlBytes < maxHeadBytes;
  }

  #openingRefusal(): ErrorCode | undefined {
    if (this.#isEnding) return 'GIR_ERR_SESSION_LOST';
    return this.hasRoomForHead ? undefined : 'GIR_ERR_STREAM_LIMIT';
  }

  /** For a stream that the other end never hears of: not even its reset, which would break the protocol. */
  #silentPort(): StreamPort {
    const silence = (): void => {};
    const remove = (stream: Stream): void => this.remove(stream);
    return {
      control: silence,
      data: silence,
      end: silence,
      discard: silence,
      remove,
      nowMs: 0,
      roundTripMs: 0,
      hasRoomForHead: true,
    };
  }

  /** Asks for a ticket (agent), or hands one out (edge). */
  ticket(payload: Buffer): void {
    this.control(frameType.ticket, 0, noStream, payload);
  }

  /** Tells the edge how our origins are. */
  status(payload: Buffer): void {
    this.control(frameType.status, 0, noStream, payload);
  }

  /** Tells the other end that we go away, or (`isAck`) that we open no more streams since it does. */
  goAway(reason: GiraffeError, isAck = false): void {
    this.control(frameType.goAway, isAck ? flagAck : 0, noStream, goAwayPayload(reason));
  }

  /** Says why, behind what was said before, then closes; streams still open are lost. */
  close(reason: GiraffeError): void {
    if (this.#isEnding) return;
    this.#end(reason);
    for (const stream of this.#streams.values()) this.#queue.discard(stream.outbound);
    this.#queue.control(frameType.goAway, 0, noStream, goAwayPayload(reason));
    while (!this.#queue.isEmpty) {
      const batch = this.#queue.take(maxCarrierBytes);
      if (batch.bytes > 0) this.carrier.send(batch);
    }
    this.carrier.close();
    this.#failStreams(reason);
  }

  /** Ends the carrier at once. */
  destroy(reason: GiraffeError): void {
    if (this.#phase === 'closed') return;
    if (!this.#isEnding) this.#end(reason);
    this.carrier.destroy();
  }

  /** True when nothing more is sent or read. */
  get #isEnding(): boolean {
    return this.#phase === 'closing' || this.#phase === 'closed';
  }

  #end(reason: GiraffeError): void {
    this.#phase = 'closing';
    this.#closeReason = reason;
    this.#keepAlive.stop();
  }

  // What streams ask of their multiplexer.

  control(type: FrameType, flags: number, id: StreamId, payload: Buffer): void {
    this.#queue.control(type, flags, id, payload);
    this.#scheduleFlush();
  }

  data(outbound: OutboundStream, chunk: Buffer): void {
    this.#queue.data(outbound, chunk);
    this.#scheduleFlush();
  }

  end(outbound: OutboundStream, trailers: Buffer): void {
    this.#queue.end(outbound, trailers);
    this.#scheduleFlush();
  }

  discard(outbound: OutboundStream): void {
    this.#queue.discard(outbound);
  }

  remove(stream: Stream): void {
    this.#streams.delete(stream.id);
  }

  // Sending.

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isEnding) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#isEnding && !this.#queue.isEmpty && this.carrier.queuedBytes < maxCarrierBytes) {
      const batch = this.#queue.take(maxCarrierBytes - this.carrier.queuedBytes);
      if (this.#queue.controlFrames === 0) this.#owedFrames = 0;
      // A stream that was told of its room may have ended the carrier.
      if (batch.bytes > 0 && !this.#isEnding) this.carrier.send(batch);
    }
    if (this.#queue.controlBytes > maxControlBytes) {
      this.destroy(new GiraffeError('GIR_ERR_ENHANCE_CALM', 'the other end does not read what it makes us send'));
    }
  }

  /** Queues an answer that the peer can provoke at will, up to a bound. */
  #owe(type: FrameType, id: StreamId, payload: Buffer): void {
    this.#owedFrames += 1;
    if (this.#owedFrames > maxOwedFrames) throw new GiraffeError('GIR_ERR_ENHANCE_CALM');
    this.control(type, 0, id, payload);
  }

  // Receiving.

  #read(chunk: Buffer): void {
    if (this.#isEnding) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.close(GiraffeError.from(error));
    }
  }

  #receive(type: FrameType, flags: number, id: StreamId, payload: Buffer): void {
    if (this.#isEnding) return;
    if (this.#phase === 'handshake' && !handshakeFrames.has(type)) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `frame type ${type} before the handshake`);
    }
    if (streamFrames.has(type) !== (id !== noStream)) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `frame type ${type} with stream id ${id}`);
    }
    switch (type) {
      case frameType.head:
        return this.#receiveHead(id, flags, payload);
      case frameType.end:
        return this.#streamFor(id)?.receiveEnd(payload);
      case frameType.reset:
        return this.#streamFor(id)?.fail(decodeReason(payload));
      case frameType.window:
        return this.#receiveWindow(id, payload);
      case frameType.ping:
        return this.#owe(frameType.pong, noStream, Buffer.from(payload.subarray(0, 8)));
      case frameType.pong:
        return this.#keepAlive.answered(payload);
      case frameType.goAway:
        return this.#receiveGoAway(flags, payload);
      case frameType.hello:
      case frameType.welcome:
        return this.#receiveHandshake(type, payload);
      case frameType.ticket:
        return this.#events.onTicket(payload);
      case frameType.status:
        return this.#receiveStatus(payload);
    }
  }

  #receiveStatus(payload: Buffer): void {
    if (this.#events.onStatus === undefined || payload.length > maxHandshakePayloadBytes) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', 'a STATUS out of place');
    }
    this.#events.onStatus(payload);
  }

  #receiveHandshake(type: typeof frameType.hello | typeof frameType.welcome, payload: Buffer): void {
    const expected = this.#options.role === 'edge' ? frameType.hello : frameType.welcome;
    if (type !== expected || this.#phase !== 'handshake' || this.#hasGreeting) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `frame type ${type} out of its place in the handshake`);
    }
    this.#hasGreeting = true;
    this.#events.onHandshake(type, payload);
  }

  #receiveHead(id: StreamId, flags: number, payload: Buffer): void {
    if (this.#options.role === 'edge') {
      this.#streamFor(id)?.receiveHead(payload, flags);
      return;
    }
    if (id <= this.#highestStream) throw new GiraffeError('GIR_ERR_PROTOCOL', `stream ${id} was opened before`);
    this.#highestStream = id;
    const limit = this.#options.maxInboundStreams ?? Number.POSITIVE_INFINITY;
    if (this.#streams.size >= limit) {
      this.#owe(frameType.reset, id, encodeReason('GIR_ERR_STREAM_LIMIT'));
      return;
    }
    this.#accept(id, flags, payload);
  }

  #accept(id: StreamId, flags: number, payload: Buffer): void {
    const window = new ReceiveWindow(this.#creditPool, minWindowBytes, this.nowMs);
    const isEnd = (flags & flagEndStream) !== 0;
    if ((flags & flagInterim) !== 0) throw new GiraffeError('GIR_ERR_PROTOCOL', 'a request with an interim head');
    const stream = new Stream(id, 0, window, ignoringSink, this);
    this.#streams.set(id, stream);
    // The head is consumed by the owner here, so that the sink exists before anything else arrives.
    stream.receiveHead(payload, flags);
    stream.sink = this.#events.onOpen(stream, payload, isEnd);
  }

  #receiveData(id: StreamId, piece: Buffer, isEnd: boolean): void {
    if (this.#isEnding) return;
    if (id === noStream) throw new GiraffeError('GIR_ERR_PROTOCOL', 'DATA on stream 0');
    if (this.#phase === 'handshake') throw new GiraffeError('GIR_ERR_PROTOCOL', 'DATA before the handshake');
    this.#streamFor(id)?.receiveData(piece, isEnd);
  }

  #receiveWindow(id: StreamId, payload: Buffer): void {
    const increment = payload.length === 4 ? payload.readUInt32BE() : 0;
    if (increment === 0) throw new GiraffeError('GIR_ERR_PROTOCOL', 'malformed WINDOW');
    const stream = this.#streamFor(id);
    if (stream === undefined) return;
    this.#queue.credit(stream.outbound, increment);
    this.#scheduleFlush();
  }

  #receiveGoAway(flags: number, payload: Buffer): void {
    this.#events.onGoAway(decodeReason(payload), (flags & flagAck) !== 0);
  }

  /** Finds a stream; undefined for one that is over, whose late frames are of no interest. */
  #streamFor(id: StreamId): Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined && id > this.#highestStream) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `stream ${id} was never opened`);
    }
    return stream;
  }

  #carrierClosed(error: GiraffeError | undefined): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#keepAlive.stop();
    const reason = this.#closeReason ?? error ?? new GiraffeError('GIR_ERR_SESSION_LOST');
    this.#failStreams(reason);
    this.#events.onClose(reason);
  }

  #failStreams(reason: GiraffeError): void {
    const loss = new GiraffeError('GIR_ERR_SESSION_LOST', reason.message, { cause: reason });
    for (const stream of [...this.#streams.values()]) stream.fail(loss);
  }
}

/** What is told of a reason: nothing particular when it is a bug of ours, which may name anything. */
function goAwayPayload(reason: GiraffeError): Buffer {
  return encodeReason(reason.code, reason.code === 'GIR_ERR_INTERNAL' ? '' : reason.message);
}

const handshakeFrames = new Set<FrameType>([frameType.hello, frameType.welcome, frameType.goAway]);
const streamFrames = new Set<FrameType>([frameType.head, frameType.end, frameType.reset, frameType.window]);
