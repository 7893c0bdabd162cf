/**
 * Frames as octets, written and read without the code under test: the layout of proto/tunnel.proto, once more.
 */
import fc from 'fast-check';

/** A frame as it stands on the wire. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** Returns one frame, header and payload. */
export function rawFrame(type: number, flags: number, id: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload as string, 'latin1');
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, body]);
}

/** Returns the payload of a WINDOW frame. */
export function windowPayload(incrementBytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(incrementBytes);
  return payload;
}

/** Reads whole frames; throws when octets are left over. */
export function readRawFrames(bytes: Buffer): RawFrame[] {
  const frames: RawFrame[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + 9 + bytes.readUIntBE(offset, 3);
    if (end > bytes.length) throw new Error(`the frame at ${offset} ends at ${end}, the bytes at ${bytes.length}`);
    frames.push({
      type: bytes.readUInt8(offset + 3),
      flags: bytes.readUInt8(offset + 4),
      id: bytes.readUInt32BE(offset + 5),
      payload: bytes.subarray(offset + 9, end),
    });
    offset = end;
  }
  return frames;
}

/** Cuts bytes into pieces at the given places, whatever their order and repetition. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut));
}

/** Arbitrary octets. */
export function bufferArbitrary(maxLength: number, minLength = 0): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength, maxLength, size: 'max' }).map((octets) => Buffer.from(octets));
}
