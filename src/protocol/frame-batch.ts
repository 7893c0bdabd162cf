/**
 * Lays frames out one behind the other in a single buffer: what one turn of the
 * event loop has to say to the other end leaves as one message.
 */
import type { BufferPool } from './buffer-pool.ts';
import { type FrameType, frameHeaderBytes, type StreamId } from './frame.ts';
import { releaseOctets } from './kept-octets.ts';

/** Frames collected for one message. Payload buffers are read when {@link FrameBatch.encode} is called. */
export class FrameBatch {
  readonly #frames: { type: FrameType; flags: number; id: StreamId; parts: readonly Buffer[]; payloadBytes: number }[] =
    [];
  readonly #spent: Buffer[] = [];
  #bytes = 0;

  /** Octets of all frames so far, headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame whose payload is the concatenation of `parts`. */
  add(type: FrameType, flags: number, id: StreamId, parts: readonly Buffer[], payloadBytes: number): void {
    this.#frames.push({ type, flags, id, parts, payloadBytes });
    this.#bytes += frameHeaderBytes + payloadBytes;
  }

  /** Says of a copy made by keepOctets that nobody reads it any more once the frames are encoded. */
  spend(copy: Buffer): void {
    this.#spent.push(copy);
  }

  /**
   * Returns all frames as one buffer, behind `reservedBytes` octets that are left for the carrier's own framing. Once.
   * @param pool Where the buffer is from, if it is from one.
   */
  encode(reservedBytes = 0, pool?: BufferPool): Buffer {
    const bytes = reservedBytes + this.#bytes;
    const buffer = pool === undefined ? Buffer.allocUnsafe(bytes) : pool.take(bytes);
    let offset = reservedBytes;
    for (const { type, flags, id, parts, payloadBytes } of this.#frames) {
      offset = buffer.writeUInt32BE(((payloadBytes << 8) | type) >>> 0, offset);
      offset = buffer.writeUInt8(flags, offset);
      offset = buffer.writeUInt32BE(id, offset);
      for (const part of parts) {
        buffer.set(part, offset);
        offset += part.length;
      }
    }
    for (const copy of this.#spent) releaseOctets(copy);
    return buffer;
  }
}
