/**
 * Runs the frame protocol over one carrier: streams, credit, pings, going away.
 *
 * Both ends use it; the edge opens streams and the agent accepts them. What the
 * frames' payloads mean is for the ends, and when frames leave is for the {@link Outbox}.
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
  maxStreamId,
  noStream,
  type StreamId,
} from '../protocol/frame.ts';
import { assertFramePlace } from '../protocol/frame-place.ts';
import { FrameReader } from '../protocol/frame-reader.ts';
import { decodeReason, encodeReason } from '../protocol/handshake.ts';
import type { OutboundStream } from '../protocol/outbound-queue.ts';
import { CreditPool, minWindowBytes, ReceiveWindow } from '../protocol/receive-window.ts';
import type { Carrier } from './carrier.ts';
import { KeepAlive } from './keep-alive.ts';
import type { MultiplexerEvents, MultiplexerOptions } from './multiplexer-ports.ts';
import { Outbox } from './outbox.ts';
import { ignoringSink, Stream, type StreamPort, type StreamSink, silentPort } from './stream.ts';
import { StreamTable } from './stream-table.ts';

/** The frame protocol on one carrier. */
export class Multiplexer implements StreamPort {
  readonly carrier: Carrier;
  readonly #options: MultiplexerOptions;
  readonly #events: MultiplexerEvents;
  readonly #outbox: Outbox;
  readonly #streams = new StreamTable();
  readonly #reader: FrameReader;
  readonly #keepAlive: KeepAlive;
  readonly #creditPool: CreditPool;
  #phase: 'handshake' | 'open' | 'closing' | 'closed' = 'handshake';
  #closeReason: GiraffeError | undefined;
  #hasGreeting = false;

  constructor(carrier: Carrier, options: MultiplexerOptions, events: MultiplexerEvents) {
    this.carrier = carrier;
    this.#options = options;
    this.#events = events;
    this.#creditPool = options.creditPool ?? new CreditPool();
    this.#outbox = new Outbox(carrier, (error) => this.destroy(error));
    this.#reader = new FrameReader(
      {
        onFrame: (type, flags, id, payload) => this.#receive(type as FrameType, flags, id, payload),
        onData: (id, piece, isEnd) => this.#receiveData(id, piece, isEnd),
      },
      maxHandshakePayloadBytes,
    );
    this.#keepAlive = new KeepAlive({
      sendPing: (payload) => this.control(frameType.ping, 0, noStream, payload),
      onRoundTrip: (roundTripMs) => this.#outbox.noteRoundTrip(roundTripMs),
      onDead: () => this.destroy(new GiraffeError('GIR_ERR_PING_TIMEOUT')),
    });
    carrier.start({
      onBytes: (chunk) => this.#read(chunk),
      onWritable: () => this.#outbox.flush(),
      onClose: (error) => this.#carrierClosed(error),
    });
  }

  /** Number of streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** What the other end may send on all streams, or has sent and was not passed on, beyond the least of each; in octets. */
  get windowBytes(): number {
    return this.#creditPool.promisedBytes;
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
    if (id > maxStreamId) this.close(new GiraffeError('GIR_ERR_DRAINING', 'the ids of its streams are used up'));
    const refusal = this.#openingRefusal();
    const port = refusal === undefined ? this : silentPort((lost) => this.remove(lost));
    const stream = new Stream(id, minWindowBytes, window, sink, port);
    this.#streams.add(stream);
    if (refusal === undefined) stream.sendHead(payload, { isEnd });
    else queueMicrotask(() => stream.fail(new GiraffeError(refusal)));
    return stream;
  }

  get hasRoomForHead(): boolean {
    return this.#outbox.hasRoomForHead;
  }

  #openingRefusal(): ErrorCode | undefined {
    if (this.#isEnding) return 'GIR_ERR_SESSION_LOST';
    return this.hasRoomForHead ? undefined : 'GIR_ERR_STREAM_LIMIT';
  }

  /** Asks for a ticket (agent), or hands one out (edge). */
  ticket(payload: Buffer): void {
    this.control(frameType.ticket, 0, noStream, payload);
  }

  /** Tells the edge how our origins are. */
  status(payload: Buffer): void {
    this.control(frameType.status, 0, noStream, payload);
  }

  /** Tells the agent that an endpoint is not its own any more. */
  withdraw(payload: Buffer): void {
    this.control(frameType.withdraw, 0, noStream, payload);
  }

  /** Tells the other end that we go away, or (`isAck`) that we open no more streams since it does. */
  goAway(reason: GiraffeError, isAck = false): void {
    this.control(frameType.goAway, isAck ? flagAck : 0, noStream, goAwayPayload(reason));
  }

  /** Says why, behind what was said before, then closes; streams still open are lost. */
  close(reason: GiraffeError): void {
    if (this.#isEnding) return;
    this.#end(reason);
    // Of an answer that is whole its client can have it all; of anything else, the less the other end has the better.
    for (const { outbound } of this.#streams.all) {
      if (this.#options.role === 'edge' || !outbound.hasEnded) this.discard(outbound);
    }
    this.#outbox.sendLast(frameType.goAway, goAwayPayload(reason));
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
    this.#outbox.close();
  }

  // What streams ask of their multiplexer.

  control(type: FrameType, flags: number, id: StreamId, payload: Buffer): void {
    this.#outbox.control(type, flags, id, payload);
  }

  data(outbound: OutboundStream, chunk: Buffer): void {
    this.#outbox.data(outbound, chunk);
  }

  end(outbound: OutboundStream, trailers: Buffer): void {
    this.#outbox.end(outbound, trailers);
  }

  discard(outbound: OutboundStream): void {
    this.#outbox.discard(outbound);
  }

  remove(stream: Stream): void {
    this.#streams.remove(stream);
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
    assertFramePlace(type, id, this.#phase === 'handshake');
    switch (type) {
      case frameType.head:
        return this.#receiveHead(id, flags, payload);
      case frameType.end:
        return this.#streams.find(id)?.receiveEnd(payload);
      case frameType.reset:
        return this.#streams.find(id)?.fail(decodeReason(payload));
      case frameType.window:
        return this.#receiveWindow(id, payload);
      case frameType.ping:
        return this.#outbox.owe(frameType.pong, noStream, Buffer.from(payload.subarray(0, 8)));
      case frameType.pong:
        return this.#outbox.answered(payload) ? undefined : this.#keepAlive.answered(payload);
      case frameType.goAway:
        return this.#events.onGoAway(decodeReason(payload), (flags & flagAck) !== 0);
      case frameType.hello:
      case frameType.welcome:
        return this.#receiveHandshake(type, payload);
      case frameType.ticket:
        return this.#events.onTicket(payload);
      case frameType.status:
        return this.#receiveWord('STATUS', this.#events.onStatus, payload);
      case frameType.withdraw:
        return this.#receiveWord('WITHDRAW', this.#events.onWithdraw, payload);
    }
  }

  /** @param listener Undefined where nobody should say it. */
  #receiveWord(name: string, listener: ((payload: Buffer) => void) | undefined, payload: Buffer): void {
    if (listener === undefined || payload.length > maxHandshakePayloadBytes) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `${name} out of place`);
    }
    listener.call(this.#events, payload);
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
      this.#streams.find(id)?.receiveHead(payload, flags);
      return;
    }
    this.#streams.claim(id);
    const limit = this.#options.maxInboundStreams ?? Number.POSITIVE_INFINITY;
    if (this.#streams.size >= limit) {
      this.#outbox.owe(frameType.reset, id, encodeReason('GIR_ERR_STREAM_LIMIT'));
      return;
    }
    this.#accept(id, flags, payload);
  }

  #accept(id: StreamId, flags: number, payload: Buffer): void {
    const window = new ReceiveWindow(this.#creditPool, minWindowBytes, this.nowMs);
    const isEnd = (flags & flagEndStream) !== 0;
    if ((flags & flagInterim) !== 0) throw new GiraffeError('GIR_ERR_PROTOCOL', 'a request with an interim head');
    const stream = new Stream(id, 0, window, ignoringSink, this);
    this.#streams.add(stream);
    // The head is consumed by the owner here, so that the sink exists before anything else arrives.
    stream.receiveHead(payload, flags);
    stream.sink = this.#events.onOpen(stream, payload, isEnd);
  }

  #receiveData(id: StreamId, piece: Buffer, isEnd: boolean): void {
    if (this.#isEnding) return;
    assertFramePlace(frameType.data, id, this.#phase === 'handshake');
    this.#streams.find(id)?.receiveData(piece, isEnd);
  }

  #receiveWindow(id: StreamId, payload: Buffer): void {
    const increment = payload.length === 4 ? payload.readUInt32BE() : 0;
    if (increment === 0) throw new GiraffeError('GIR_ERR_PROTOCOL', 'malformed WINDOW');
    const stream = this.#streams.find(id);
    if (stream === undefined) return;
    this.#outbox.credit(stream.outbound, increment);
  }

  #carrierClosed(error: GiraffeError | undefined): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#keepAlive.stop();
    this.#outbox.close();
    const reason = this.#closeReason ?? error ?? new GiraffeError('GIR_ERR_SESSION_LOST', 'the connection was closed');
    try {
      this.#failStreams(reason);
    } finally {
      this.#events.onClose(reason);
    }
  }

  #failStreams(reason: GiraffeError): void {
    this.#streams.failAll(new GiraffeError('GIR_ERR_SESSION_LOST', reason.message, { cause: reason }));
  }
}

/** What is told of a reason: nothing particular when it is a bug of ours, which may name anything. */
function goAwayPayload(reason: GiraffeError): Buffer {
  return encodeReason(reason.code, reason.code === 'GIR_ERR_INTERNAL' ? '' : reason.message);
}
