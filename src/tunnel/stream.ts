/**
 * One multiplexed exchange on one carrier, seen from either end.
 *
 * Callbacks instead of Node streams: the ends are sockets, and what a stream
 * adds between two sockets is only order and credit.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from '../http/field-line.ts';
import { type FrameType, flagEndStream, flagInterim, frameType, type StreamId } from '../protocol/frame.ts';
import { encodeReason } from '../protocol/handshake.ts';
import { decodeTrailers, encodeTrailers } from '../protocol/head-codec.ts';
import { OutboundStream } from '../protocol/outbound-queue.ts';
import type { ReceiveWindow } from '../protocol/receive-window.ts';
import { advance, type OrderedFrame, type Progress } from '../protocol/stream-order.ts';

/** A sender pauses its source when this many octets wait in the stream. */
const highWaterBytes = 64 * 1024;

/** Receives what the other end sends on a stream. `onReset` is the last call, if it comes. */
export interface StreamSink {
  /** A head arrived. Throwing a GiraffeError ends the carrier when its code is a protocol error. */
  onHead(payload: Buffer, isInterim: boolean, isEnd: boolean): void;
  /** Body octets arrived; they count against the window until {@link Stream.consumed} is called for them. */
  onData(chunk: Buffer): void;
  onEnd(trailers: FieldLines): void;
  /** There is room again after {@link Stream.sendData} returned false. */
  onWritable(): void;
  /** The stream is over before its end: the other end gave it up, or the carrier was lost. */
  onReset(error: GiraffeError): void;
}

/** What a stream needs of its multiplexer. */
export interface StreamPort {
  control(type: FrameType, flags: number, id: StreamId, payload: Buffer): void;
  data(outbound: OutboundStream, chunk: Buffer): void;
  end(outbound: OutboundStream, trailers: Buffer): void;
  discard(outbound: OutboundStream): void;
  /** The stream is over in both directions. */
  remove(stream: Stream): void;
  /** False while so many heads wait that one more would be too much. */
  readonly hasRoomForHead: boolean;
  readonly nowMs: number;
  readonly roundTripMs: number;
}

/** One exchange or relay on a carrier. */
export class Stream {
  readonly id: StreamId;
  /** Set by the side that accepts the stream before the first callback can come. */
  sink: StreamSink;
  /** For the multiplexer: what waits to be sent. */
  readonly outbound: OutboundStream;
  readonly #port: StreamPort;
  readonly #window: ReceiveWindow;
  #inbound: Progress = 'head';
  /** The owner has ended our direction; frames may still wait. */
  #hasSentEnd = false;
  /** The last frame of our direction has left. */
  #isOutboundEnded = false;
  #isOver = false;
  #isBlocked = false;

  constructor(id: StreamId, sendCreditBytes: number, window: ReceiveWindow, sink: StreamSink, port: StreamPort) {
    this.id = id;
    this.sink = sink;
    this.outbound = new OutboundStream(id, sendCreditBytes, () => this.#taken());
    this.#port = port;
    this.#window = window;
  }

  /** True once both directions have ended or the stream was reset. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** False while the other end does not read and the heads that wait for it cost too much already. */
  get hasRoomForHead(): boolean {
    return this.#port.hasRoomForHead;
  }

  /** Says how urgent octets of both directions are beside those of other streams, from 0 (first) to 7; before there are any. */
  prioritize(urgency: number): void {
    this.outbound.urgency = urgency;
    this.#window.prioritize(urgency);
  }

  /** Sends a head; `isEnd` when no body and no trailers follow. */
  sendHead(payload: Buffer, { isInterim = false, isEnd = false } = {}): void {
    if (this.#isOver || this.#hasSentEnd) return;
    const flags = (isInterim ? flagInterim : 0) | (isEnd ? flagEndStream : 0);
    this.#port.control(frameType.head, flags, this.id, payload);
    if (!isEnd) return;
    this.#hasSentEnd = true;
    this.#outboundDone();
  }

  /** Sends body octets. Returns false when the source should pause until `onWritable`. The buffer is only lent. */
  sendData(chunk: Buffer): boolean {
    if (this.#isOver || this.#hasSentEnd) return true;
    this.#port.data(this.outbound, chunk);
    this.#isBlocked = this.outbound.queuedBytes >= highWaterBytes;
    return !this.#isBlocked;
  }

  /** Ends our direction, behind what is queued. */
  sendEnd(trailers: FieldLines = []): void {
    if (this.#isOver || this.#hasSentEnd) return;
    this.#hasSentEnd = true;
    this.#port.end(this.outbound, encodeTrailers(trailers));
  }

  /** Says that `bytes` of the received body were passed on, so that the other end may send more. */
  consumed(bytes: number): void {
    if (bytes === 0) return;
    const increment = this.#window.consumed(bytes, this.#port.nowMs, this.#port.roundTripMs);
    if (!this.#isOver) this.#announce(increment);
  }

  /** Enlarges the window from the guaranteed minimum to `sizeBytes`. */
  grant(sizeBytes: number): void {
    this.#announce(this.#window.initialGrant(sizeBytes));
  }

  /** Sets our credit on a stream that the other end opened, as its head said, in octets. */
  allow(creditBytes: number): void {
    this.outbound.creditBytes = creditBytes;
  }

  /** Gives the exchange up and tells the other end. No callback follows. */
  reset(error: GiraffeError): void {
    if (this.#isOver) return;
    this.#port.discard(this.outbound);
    this.#port.control(frameType.reset, 0, this.id, encodeReason(error.code));
    this.#abandon();
  }

  /** For the multiplexer: a HEAD arrived. */
  receiveHead(payload: Buffer, flags: number): void {
    const isInterim = (flags & flagInterim) !== 0;
    const isEnd = (flags & flagEndStream) !== 0;
    if (isInterim && isEnd) throw new GiraffeError('GIR_ERR_PROTOCOL', 'an interim head that ends its stream');
    this.#advance(isInterim ? 'interim-head' : isEnd ? 'head-and-end' : 'head');
    if (isEnd) this.#window.end();
    this.sink.onHead(payload, isInterim, isEnd);
    this.#finishWhenDone();
  }

  /** For the multiplexer: body octets arrived. */
  receiveData(piece: Buffer, isEnd: boolean): void {
    this.#advance(isEnd ? 'data-and-end' : 'data');
    if (piece.length > 0) this.#window.received(piece.length, this.#port.nowMs);
    if (isEnd) this.#window.end();
    if (piece.length > 0) this.sink.onData(piece);
    if (isEnd && !this.#isOver) this.sink.onEnd([]);
    this.#finishWhenDone();
  }

  /** For the multiplexer: an END arrived. */
  receiveEnd(payload: Buffer): void {
    this.#advance('end');
    this.#window.end();
    this.sink.onEnd(decodeTrailers(payload));
    this.#finishWhenDone();
  }

  /** For the multiplexer: the stream is over because the other end reset it or the carrier was lost. */
  fail(error: GiraffeError): void {
    if (this.#isOver) return;
    const { sink } = this;
    this.#port.discard(this.outbound);
    this.#abandon();
    sink.onReset(error);
  }

  #announce(increment: number): void {
    if (increment === 0) return;
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(increment);
    this.#port.control(frameType.window, 0, this.id, payload);
  }

  #advance(frame: OrderedFrame): void {
    this.#inbound = advance(this.#inbound, frame);
  }

  #taken(): void {
    if (this.#isOver) return;
    const { outbound } = this;
    if (outbound.hasEnded && outbound.end === undefined) this.#outboundDone();
    if (this.#isBlocked && outbound.queuedBytes < highWaterBytes) {
      this.#isBlocked = false;
      this.sink.onWritable();
    }
  }

  #outboundDone(): void {
    this.#isOutboundEnded = true;
    this.#finishWhenDone();
  }

  #finishWhenDone(): void {
    if (!this.#isOutboundEnded || this.#inbound !== 'ended' || this.#isOver) return;
    this.#leave();
  }

  /** The stream is over before its end, and what was received is of no use to anybody. */
  #abandon(): void {
    if (this.#isOver) return;
    this.#window.close();
    this.#leave();
  }

  #leave(): void {
    this.#isOver = true;
    this.#port.remove(this);
    // Whoever still holds the stream shall not hold the whole exchange behind it.
    this.sink = ignoringSink;
  }
}

/** The port of a stream that the other end never hears of: not even its reset, which would break the protocol. */
export function silentPort(remove: (stream: Stream) => void): StreamPort {
  const silence = (): void => {};
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

/** Takes what is of no interest to anybody. */
export const ignoringSink: StreamSink = {
  onHead: () => {},
  onData: () => {},
  onEnd: () => {},
  onWritable: () => {},
  onReset: () => {},
};
