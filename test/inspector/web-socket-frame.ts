/** Writes WebSocket frames for tests (RFC 6455 section 5.2). */

/** A frame; by default a whole text message, unmasked. */
export interface FrameParts {
  readonly opcode?: number;
  readonly payload?: string | Buffer;
  readonly isFinal?: boolean;
  readonly isMasked?: boolean;
  readonly isCompressed?: boolean;
}

/** Returns the octets of a frame. */
export function frame(parts: FrameParts): Buffer {
  const { opcode = 1, payload = '', isFinal = true, isMasked = false, isCompressed = false } = parts;
  const data = Buffer.from(payload);
  const first = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode;
  const mask = Buffer.from(isMasked ? [1, 2, 3, 4] : []);
  const body = isMasked ? data.map((octet, at) => octet ^ (mask[at % 4] ?? 0)) : data;
  return Buffer.concat([Buffer.from([first]), lengthOf(data.length, isMasked ? 0x80 : 0), mask, body]);
}

function lengthOf(bytes: number, masked: number): Buffer {
  if (bytes <= 125) return Buffer.from([masked | bytes]);
  if (bytes <= 0xffff) return Buffer.from([masked | 126, bytes >> 8, bytes & 0xff]);
  const long = Buffer.alloc(9);
  long[0] = masked | 127;
  long.writeBigUInt64BE(BigInt(bytes), 1);
  return long;
}
