/**
 * Decides which frame leaves next on a carrier.
 *
 * Control frames and heads go first, in the order in which they were queued;
 * then streams as {@link Turns} has it, as far as their credit reaches. So a small
 * exchange never waits behind a large one for longer than what the carrier
 * already holds. Pure: no sockets, timers or clock.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import {
  type FrameType,
  flagEndStream,
  frameType,
  maxCreditBytes,
  maxDataPayloadBytes,
  type StreamId,
} from './frame.ts';
import { FrameBatch } from './frame-batch.ts';
import { keepOctets } from './kept-octets.ts';
import { Turns, usualUrgency } from './turns.ts';

/** Small pieces that wait behind each other are joined up to so many octets: a buffer costs a hundred beside its own. */
const maxJoinedBytes = 4096;
/** What a waiting control frame costs in memory beside its payload, in octets, about. */
const controlFrameCostBytes = 128;
/** Smaller slices of a stream that has more cost more than their octets. */
const minSliceBytes = 16 * 1024;
const nothing = Buffer.alloc(0);

/** What one stream still has to send, and how much it may. */
export class OutboundStream {
  readonly id: StreamId;
  /** Octets the receiver is still willing to take. */
  creditBytes: number;
  /** How urgent its octets are beside those of others, from 0 (first) to 7; set before any are queued. */
  urgency = usualUrgency;
  /** Octets of DATA sent so far. */
  sentBytes = 0;
  /** Octets waiting here. */
  queuedBytes = 0;
  /** Copies of our own, in order. */
  readonly chunks: Buffer[] = [];
  /** The small chunk that came last, and the memory behind its beginning. */
  #latest: Buffer | undefined;
  #memory: Buffer = nothing;
  /** Trailer payload of the END to come, undefined until the direction was ended. */
  end: Buffer | undefined;
  /** True once {@link OutboundQueue.end} was called, also after the END has left. */
  hasEnded = false;
  /** True while the stream stands in one of the queue's turns. */
  isReady = false;
  /** Called, at most once per batch, after some of the stream's octets were taken. */
  readonly onTaken: () => void;

  constructor(id: StreamId, creditBytes: number, onTaken: () => void) {
    this.id = id;
    this.creditBytes = creditBytes;
    this.onTaken = onTaken;
  }

  /** Takes a copy of body octets, behind what waits. */
  keep(octets: Buffer): void {
    const { chunks } = this;
    const latest = this.#latest;
    const joinedBytes = (latest?.length ?? 0) + octets.length;
    if (latest === undefined || chunks.at(-1) !== latest || joinedBytes > maxJoinedBytes) {
      const copy = keepOctets(octets);
      chunks.push(copy);
      this.#latest = copy.length < maxJoinedBytes ? copy : undefined;
      this.#memory = copy;
    } else {
      if (joinedBytes > this.#memory.length) {
        this.#memory = Buffer.allocUnsafe(Math.min(maxJoinedBytes, joinedBytes * 2));
        this.#memory.set(latest);
      }
      this.#memory.set(octets, latest.length);
      this.#latest = this.#memory.subarray(0, joinedBytes);
      chunks[chunks.length - 1] = this.#latest;
    }
    this.queuedBytes += octets.length;
  }

  /** True when something could leave now. */
  get canSend(): boolean {
    if (this.queuedBytes > 0) return this.creditBytes > 0;
    return this.end !== undefined;
  }
}

interface ControlFrame {
  readonly type: FrameType;
  readonly flags: number;
  readonly id: StreamId;
  readonly payload: Buffer;
}

/** Everything that waits to leave on one carrier. */
export class OutboundQueue {
  #control: ControlFrame[] = [];
  #controlBytes = 0;
  readonly #turns = new Turns<OutboundStream>();

  /** True when {@link take} would return nothing. */
  get isEmpty(): boolean {
    return this.#control.length === 0 && this.#turns.isEmpty;
  }

  /** Number of control frames that wait; the owner bounds what a peer can make us queue. */
  get controlFrames(): number {
    return this.#control.length;
  }

  /** What they cost in memory, in octets, about. */
  get controlBytes(): number {
    return this.#controlBytes;
  }

  /** Queues a frame that is not subject to credit. */
  control(type: FrameType, flags: number, id: StreamId, payload: Buffer): void {
    this.#control.push({ type, flags, id, payload });
    this.#controlBytes += payload.length + controlFrameCostBytes;
  }

  /** Queues a copy of body octets; they leave when it is the stream's turn and it has credit. */
  data(stream: OutboundStream, chunk: Buffer): void {
    if (chunk.length === 0) return;
    stream.keep(chunk);
    this.#ready(stream);
  }

  /** Ends the stream's direction behind what is queued. An empty `trailers` payload means none. */
  end(stream: OutboundStream, trailers: Buffer): void {
    stream.end = trailers;
    stream.hasEnded = true;
    this.#ready(stream);
  }

  /**
   * Adds credit.
   * @throws {GiraffeError} GIR_ERR_FLOW_CONTROL when the sum would pass 2^31 - 1.
   */
  credit(stream: OutboundStream, incrementBytes: number): void {
    stream.creditBytes += incrementBytes;
    if (stream.creditBytes > maxCreditBytes) {
      throw new GiraffeError('GIR_ERR_FLOW_CONTROL', `credit of stream ${stream.id} passes 2^31 - 1`);
    }
    this.#ready(stream);
  }

  /** Forgets what the stream has queued; used when it is reset, also while a batch that is not encoded still needs some of it. */
  discard(stream: OutboundStream): void {
    stream.chunks.length = 0;
    stream.queuedBytes = 0;
    stream.end = undefined;
  }

  /**
   * Removes and returns the next frames, up to about `maxBytes` octets (one slice more at most).
   * @param maxDataBytes Octets of streams among them, about (16 KiB more at most); by default as many as there are.
   */
  take(maxBytes: number, maxDataBytes = Number.POSITIVE_INFINITY): FrameBatch {
    const batch = new FrameBatch();
    this.#takeControl(batch, maxBytes);
    const dataEnd = batch.bytes + maxDataBytes;
    const touched = new Set<OutboundStream>();
    while (batch.bytes < maxBytes && batch.bytes < dataEnd) {
      const stream = this.#turns.next();
      if (stream === undefined) break;
      stream.isReady = false;
      if (!stream.canSend) continue;
      takeSlice(batch, stream, Math.max(minSliceBytes, dataEnd - batch.bytes));
      touched.add(stream);
      if (stream.canSend) this.#ready(stream);
    }
    for (const stream of touched) stream.onTaken();
    return batch;
  }

  #takeControl(batch: FrameBatch, maxBytes: number): void {
    let taken = 0;
    for (const { type, flags, id, payload } of this.#control) {
      if (taken > 0 && batch.bytes >= maxBytes) break;
      batch.add(type, flags, id, [payload], payload.length);
      this.#controlBytes -= payload.length + controlFrameCostBytes;
      taken += 1;
    }
    if (taken === this.#control.length) this.#control = [];
    else this.#control.splice(0, taken);
  }

  #ready(stream: OutboundStream): void {
    if (stream.isReady || !stream.canSend) return;
    stream.isReady = true;
    this.#turns.add(stream);
  }
}

/** Moves up to one slice of the stream's octets into one DATA frame, and its END when nothing is left. */
function takeSlice(batch: FrameBatch, stream: OutboundStream, maxBytes: number): void {
  const sliceBytes = Math.min(stream.queuedBytes, stream.creditBytes, maxDataPayloadBytes, maxBytes);
  const isLast = sliceBytes === stream.queuedBytes && stream.end !== undefined;
  const endsHere = isLast && stream.end?.length === 0;
  if (sliceBytes > 0 || endsHere) {
    batch.add(
      frameType.data,
      endsHere ? flagEndStream : 0,
      stream.id,
      takeParts(batch, stream, sliceBytes),
      sliceBytes,
    );
    stream.creditBytes -= sliceBytes;
    stream.sentBytes += sliceBytes;
  }
  if (!isLast || stream.end === undefined) return;
  if (!endsHere) batch.add(frameType.end, 0, stream.id, [stream.end], stream.end.length);
  stream.end = undefined;
}

function takeParts(batch: FrameBatch, stream: OutboundStream, sliceBytes: number): Buffer[] {
  const parts: Buffer[] = [];
  let left = sliceBytes;
  let used = 0;
  for (const chunk of stream.chunks) {
    if (left === 0) break;
    if (chunk.length > left) {
      parts.push(chunk.subarray(0, left));
      stream.chunks[used] = chunk.subarray(left);
      left = 0;
      break;
    }
    parts.push(chunk);
    batch.spend(chunk);
    left -= chunk.length;
    used += 1;
  }
  stream.chunks.splice(0, used);
  stream.queuedBytes -= sliceBytes;
  return parts;
}
