/**
 * The sending half of a multiplexer: what is queued for a carrier, when it leaves, and how much of it may wait.
 *
 * What a few turns of the event loop queue leaves as one batch: the turn that queued something, and one more as long as each
 * brings more, up to a bound. In which order frames leave is decided by the {@link OutboundQueue}.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type FrameType, frameType, noStream, type StreamId } from '../protocol/frame.ts';
import { OutboundQueue, type OutboundStream } from '../protocol/outbound-queue.ts';
import { PathWindow } from '../protocol/path-window.ts';
import type { Carrier } from './carrier.ts';

/** A carrier holds at most about this many octets, so that a control frame is never behind more. */
const maxCarrierBytes = 128 * 1024;
/** A batch waits for so many further turns at most. A turn takes no time when there is nothing to read. */
const maxTurns = 8;
/** Answers that the peer made us queue (PONG, RESET) and that have not left; more is abuse. */
const maxOwedFrames = 1000;
/** Frames beside DATA that wait for a peer that does not read may cost this much memory, in octets. */
const maxControlBytes = 64 * 1024 * 1024;
/** While so much waits, no head is added: clients and origins decide how many there are, and must not end the carrier. */
const maxHeadBytes = maxControlBytes / 2;
/** Octets of a PING. */
const probeBytes = 8;
/** What its first four are in a probe of the path; in a sign of life they are 0. */
const probeMark = 1;

/** What waits to be sent on one carrier. */
export class Outbox {
  readonly #carrier: Carrier;
  readonly #onOverflow: (error: GiraffeError) => void;
  readonly #queue = new OutboundQueue();
  readonly #path = new PathWindow();
  #owedFrames = 0;
  #isFlushScheduled = false;
  /** Whether anything was queued since the last turn. */
  #hasNews = false;
  #turns = 0;
  /** Whether streams wait for the path to have room. */
  #isHeldByPath = false;
  #isClosed = false;

  /** @param onOverflow The other end does not read, and what waits for it costs too much. */
  constructor(carrier: Carrier, onOverflow: (error: GiraffeError) => void) {
    this.#carrier = carrier;
    this.#onOverflow = onOverflow;
  }

  /** False while so many heads wait that one more would be too much. */
  get hasRoomForHead(): boolean {
    return this.#queue.controlBytes < maxHeadBytes;
  }

  /** Queues a frame that is not subject to credit. */
  control(type: FrameType, flags: number, id: StreamId, payload: Buffer): void {
    this.#queue.control(type, flags, id, payload);
    this.#scheduleFlush();
  }

  /**
   * Queues an answer that the peer can provoke at will, up to a bound.
   * @throws {GiraffeError} GIR_ERR_ENHANCE_CALM.
   */
  owe(type: FrameType, id: StreamId, payload: Buffer): void {
    this.#owedFrames += 1;
    if (this.#owedFrames > maxOwedFrames) throw new GiraffeError('GIR_ERR_ENHANCE_CALM');
    this.control(type, 0, id, payload);
  }

  /** Queues body octets. */
  data(outbound: OutboundStream, chunk: Buffer): void {
    this.#queue.data(outbound, chunk);
    this.#scheduleFlush();
  }

  /** Ends a stream's direction behind what is queued. */
  end(outbound: OutboundStream, trailers: Buffer): void {
    this.#queue.end(outbound, trailers);
    this.#scheduleFlush();
  }

  /**
   * Adds credit.
   * @throws {GiraffeError} GIR_ERR_FLOW_CONTROL.
   */
  credit(outbound: OutboundStream, incrementBytes: number): void {
    this.#queue.credit(outbound, incrementBytes);
    this.#scheduleFlush();
  }

  /** Forgets what a stream has queued. */
  discard(outbound: OutboundStream): void {
    this.#queue.discard(outbound);
  }

  /** Gives the carrier what it and the path have room for. */
  flush(): void {
    const carrier = this.#carrier;
    while (!this.#isClosed && !this.#queue.isEmpty && carrier.queuedBytes < maxCarrierBytes) {
      const pathBytes = this.#path.roomBytes(carrier.sentBytes);
      if (this.#path.wantsProbe(carrier.sentBytes)) this.#probe();
      const batch = this.#queue.take(maxCarrierBytes - carrier.queuedBytes, pathBytes);
      if (this.#queue.controlFrames === 0) this.#owedFrames = 0;
      this.#isHeldByPath = pathBytes === 0;
      if (batch.bytes === 0 && this.#isHeldByPath) break;
      // A stream that was told of its room may have ended the carrier.
      if (batch.bytes > 0 && !this.#isClosed) carrier.send(batch);
    }
    if (!this.#isClosed && this.#queue.controlBytes > maxControlBytes) {
      this.#onOverflow(new GiraffeError('GIR_ERR_ENHANCE_CALM', 'the other end does not read what it makes us send'));
    }
  }

  /** A PONG arrived; false when it answers no probe of the path. */
  answered(payload: Buffer): boolean {
    if (payload.length !== probeBytes || payload.readUInt32BE(0) !== probeMark) return false;
    this.#path.answered(payload.readUInt32BE(4), performance.now());
    if (this.#isHeldByPath) this.flush();
    return true;
  }

  /** Takes note of a round trip while little was sent, in milliseconds. */
  noteRoundTrip(roundTripMs: number): void {
    this.#path.noteRoundTrip(roundTripMs);
  }

  /** The PING goes before what is taken next, so its answer says that all which was sent by now has arrived. */
  #probe(): void {
    const payload = Buffer.allocUnsafe(probeBytes);
    payload.writeUInt32BE(probeMark, 0);
    payload.writeUInt32BE(this.#path.probe(this.#carrier.sentBytes, performance.now()), 4);
    this.#queue.control(frameType.ping, 0, noStream, payload);
  }

  /** Sends nothing more of its own accord. */
  close(): void {
    this.#isClosed = true;
  }

  /** Gives the carrier all that may be sent, and one last frame behind it. What shall not be sent is to be discarded before. */
  sendLast(type: FrameType, payload: Buffer): void {
    this.#sendAll();
    this.#queue.control(type, 0, noStream, payload);
    this.#sendAll();
  }

  #sendAll(): void {
    while (!this.#queue.isEmpty) {
      const batch = this.#queue.take(maxCarrierBytes);
      if (batch.bytes > 0) this.#carrier.send(batch);
    }
  }

  #scheduleFlush(): void {
    this.#hasNews = true;
    if (this.#isFlushScheduled || this.#isClosed) return;
    this.#isFlushScheduled = true;
    this.#turns = 0;
    setImmediate(this.#nextTurn);
  }

  /** While many exchanges are under way a further turn finds as many frames again, and a batch costs each end about as much as ten. */
  readonly #nextTurn = (): void => {
    this.#turns += 1;
    if (this.#hasNews && this.#turns < maxTurns) {
      this.#hasNews = false;
      setImmediate(this.#nextTurn);
      return;
    }
    this.#isFlushScheduled = false;
    this.flush();
  };
}
