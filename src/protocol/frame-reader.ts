/**
 * Cuts a carrier's bytes into frames, however the carrier split them.
 *
 * DATA payloads are handed on in the pieces in which they arrive, without a
 * copy; all other frames are handed on whole. Rejects what can be seen from one
 * frame alone: unknown types, sizes, stream ids. Order is the session's business.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { flagEndStream, frameHeaderBytes, frameType, maxFramePayloadBytes, type StreamId, streamId } from './frame.ts';

/** Receives what a {@link FrameReader} finds. Buffers are views of what was pushed: copy what is kept. */
export interface FrameSink {
  /** A whole frame of any type but DATA. */
  onFrame(type: number, flags: number, id: StreamId, payload: Buffer): void;
  /** A piece of a DATA payload, possibly empty; `isEnd` on the last piece of the stream's direction. */
  onData(id: StreamId, piece: Buffer, isEnd: boolean): void;
}

const highestType = frameType.withdraw;
const empty = Buffer.alloc(0);

/** An incremental frame parser for one carrier. */
export class FrameReader {
  readonly #sink: FrameSink;
  #maxPayloadBytes: number;
  /** Its first {@link #heldBytes} octets are an incomplete header, or an incomplete frame other than DATA. */
  #held: Buffer = empty;
  #heldBytes = 0;
  #neededBytes = frameHeaderBytes;
  /** Octets of the current DATA payload that are still to come. */
  #dataBytesLeft = 0;
  #dataStream: StreamId = streamId(0);
  #dataEnds = false;

  constructor(sink: FrameSink, maxPayloadBytes = maxFramePayloadBytes) {
    this.#sink = sink;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** Allows larger frames from now on; a carrier starts small until its peer is authenticated. */
  raiseLimit(maxPayloadBytes: number): void {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /**
   * Reads on. The sink is called before this returns.
   * @throws {GiraffeError} GIR_ERR_FRAME_TOO_LARGE, GIR_ERR_PROTOCOL; the carrier is of no use afterwards.
   */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#dataBytesLeft > 0) {
        const end = Math.min(chunk.length, offset + this.#dataBytesLeft);
        this.#dataBytesLeft -= end - offset;
        const piece = offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end);
        this.#sink.onData(this.#dataStream, piece, this.#dataEnds && this.#dataBytesLeft === 0);
        offset = end;
      } else if (this.#heldBytes > 0) {
        offset = this.#completeHeld(chunk, offset);
      } else {
        const read = this.#readFrame(chunk, offset);
        if (read === 0) {
          this.#hold(chunk.subarray(offset));
          return;
        }
        offset += read;
      }
    }
  }

  /** Adds to what is held until a whole frame (or a DATA header) is there; returns the new offset. */
  #completeHeld(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#neededBytes - this.#heldBytes);
    this.#hold(chunk.subarray(offset, end));
    if (this.#heldBytes === this.#neededBytes) {
      const whole = this.#held.subarray(0, this.#heldBytes);
      this.#held = empty;
      this.#heldBytes = 0;
      // A complete header may only tell how much more the frame needs.
      if (this.#readFrame(whole, 0) === 0) this.#hold(whole);
    }
    return end;
  }

  #hold(part: Buffer): void {
    if (part.length === 0) return;
    const bytes = this.#heldBytes + part.length;
    // A copy, so that a few held octets do not keep a whole network buffer alive. One buffer that doubles, so that
    // a frame that comes octet by octet costs neither a buffer for each nor, before they come, its announced size.
    if (bytes > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#neededBytes, bytes * 2));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(part, this.#heldBytes);
    this.#heldBytes = bytes;
  }

  /** Reads one frame at `offset`; returns its octets, or 0 when it is incomplete, with #neededBytes set. */
  #readFrame(chunk: Buffer, offset: number): number {
    const available = chunk.length - offset;
    if (available < frameHeaderBytes) {
      this.#neededBytes = frameHeaderBytes;
      return 0;
    }
    const lengthAndType = chunk.readUInt32BE(offset);
    const payloadBytes = lengthAndType >>> 8;
    const type = lengthAndType & 0xff;
    if (payloadBytes > this.#maxPayloadBytes) {
      throw new GiraffeError(
        'GIR_ERR_FRAME_TOO_LARGE',
        `a frame of ${payloadBytes} bytes; at most ${this.#maxPayloadBytes} are allowed`,
      );
    }
    if (type === 0 || type > highestType) throw new GiraffeError('GIR_ERR_PROTOCOL', `unknown frame type ${type}`);
    const flags = chunk[offset + 4] ?? 0;
    const id = streamId(chunk.readUInt32BE(offset + 5));
    if (type === frameType.data) {
      this.#startData(payloadBytes, flags, id);
      return frameHeaderBytes;
    }
    const frameBytes = frameHeaderBytes + payloadBytes;
    if (available < frameBytes) {
      this.#neededBytes = frameBytes;
      return 0;
    }
    this.#sink.onFrame(type, flags, id, chunk.subarray(offset + frameHeaderBytes, offset + frameBytes));
    return frameBytes;
  }

  #startData(payloadBytes: number, flags: number, id: StreamId): void {
    const ends = (flags & flagEndStream) !== 0;
    if (payloadBytes === 0) {
      this.#sink.onData(id, empty, ends);
      return;
    }
    this.#dataBytesLeft = payloadBytes;
    this.#dataStream = id;
    this.#dataEnds = ends;
  }
}
