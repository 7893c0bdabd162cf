/**
 * The protobuf coding of `tunnel.Batch`, by hand: one field of bytes, on every
 * message of the hot path. A test compares it with the generic codec.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { FrameBatch } from './frame-batch.ts';

/** Field 1, wire type 2 (length-delimited). */
const framesTag = 0x0a;

/**
 * Encodes a Batch message around the frames.
 * @param pool Where the message's buffer is from, if it is from one.
 */
export function encodeBatch(batch: FrameBatch, pool?: BufferPool): Buffer {
  const prefix = [framesTag];
  let rest = batch.bytes;
  while (rest > 0x7f) {
    prefix.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  prefix.push(rest);
  const message = batch.encode(prefix.length, pool);
  message.set(prefix, 0);
  return message;
}

/**
 * Returns the frames in a Batch message, as a view of it.
 * @throws {GiraffeError} GIR_ERR_PROTOCOL when it is anything else than one bytes field.
 */
export function decodeBatch(message: Buffer): Buffer {
  if (message.length === 0) return message;
  let lengthBytes = 0;
  let offset = 1;
  let octet = 0x80;
  for (let shift = 0; shift < 28 && octet >= 0x80; shift += 7) {
    octet = message[offset] ?? 0;
    offset += 1;
    lengthBytes |= (octet & 0x7f) << shift;
  }
  if (message[0] !== framesTag || octet >= 0x80 || offset + lengthBytes !== message.length) {
    throw new GiraffeError('GIR_ERR_PROTOCOL', 'malformed Batch message');
  }
  return message.subarray(offset);
}
