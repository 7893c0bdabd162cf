import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBatch, encodeBatch } from '../../src/protocol/batch-codec.ts';
import { frameType, streamId } from '../../src/protocol/frame.ts';
import { FrameBatch } from '../../src/protocol/frame-batch.ts';
import { bufferArbitrary, rawFrame } from '../support/raw-frames.ts';

interface BatchMessage {
  readonly frames: Buffer;
}

const protoPath = fileURLToPath(new URL('../../proto/tunnel.proto', import.meta.url));
const service = loadSync(protoPath, { keepCase: true, defaults: true })['tunnel.TunnelService'];
const generic = (service as unknown as { Connect: MethodDefinition<BatchMessage, BatchMessage> }).Connect;

const sizes = [9, 10, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 2_097_151, 2_097_152, 2_097_153];

function batchOf(bytes: number): FrameBatch {
  const batch = new FrameBatch();
  const payload = Buffer.alloc(bytes - 9, 'x');
  batch.add(frameType.data, 0, streamId(1), [payload], payload.length);
  return batch;
}

describe('FrameBatch', () => {
  it('lays frames out as the proto describes, parts joined, behind the reserved octets', () => {
    const frame = fc.record({
      type: fc.constantFrom(...Object.values(frameType)),
      flags: fc.nat(255),
      id: fc.nat(0xffff_ffff),
      parts: fc.array(bufferArbitrary(40), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.nat(8), (frames, reservedBytes) => {
        const batch = new FrameBatch();
        for (const { type, flags, id, parts } of frames) {
          const payloadBytes = parts.reduce((sum, part) => sum + part.length, 0);
          batch.add(type, flags, streamId(id), parts, payloadBytes);
        }
        const expected = frames.map(({ type, flags, id, parts }) => rawFrame(type, flags, id, Buffer.concat(parts)));
        const encoded = batch.encode(reservedBytes);
        expect(encoded.subarray(reservedBytes)).toEqual(Buffer.concat(expected));
        expect(batch.bytes).toBe(encoded.length - reservedBytes);
      }),
    );
  });

  it('writes payload lengths of the full 24 bits and stream ids of the full 32 bits', () => {
    const batch = new FrameBatch();
    const payload = Buffer.alloc(0xff_ffff);
    batch.add(frameType.head, 0xff, streamId(0xffff_ffff), [payload], payload.length);
    expect(batch.encode().subarray(0, 9).toString('hex')).toBe('ffffff01ffffffffff');
  });
});

describe('encodeBatch()', () => {
  it.each(sizes)('encodes %i octets as the generic protobuf codec does', (bytes) => {
    const batch = batchOf(bytes);
    expect(encodeBatch(batch).equals(generic.requestSerialize({ frames: batch.encode() }))).toBe(true);
  });

  it.each(sizes)('encodes %i octets so that the generic protobuf codec finds them', (bytes) => {
    const batch = batchOf(bytes);
    expect(generic.requestDeserialize(encodeBatch(batch)).frames.equals(batch.encode())).toBe(true);
  });
});

describe('decodeBatch()', () => {
  it.each([0, ...sizes])('decodes what the generic codec encodes, %i octets, as a view', (bytes) => {
    const frames = Buffer.alloc(bytes, 'y');
    const message = generic.responseSerialize({ frames });
    const decoded = decodeBatch(message);
    expect(decoded.equals(frames)).toBe(true);
    expect(decoded.buffer).toBe(message.buffer);
  });

  it('decodes an empty message as no frames', () => {
    expect(decodeBatch(Buffer.alloc(0))).toHaveLength(0);
  });

  it.each([
    ['another field', '120161'],
    ['another wire type', '0801'],
    ['a length that is cut off', '0a'],
    ['a length whose continuation is cut off', '0a80'],
    ['a length that never ends', '0a80808080'],
    ['a length of five octets', '0a8180808000ff'],
    ['fewer octets than announced', '0a0361'],
    ['more octets than announced', '0a016162'],
    ['the field twice', '0a01610a0162'],
    ['a length above 2^31', '0affffffff0f61'],
  ])('refuses %s', (_what, hex) => {
    expect(() => decodeBatch(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  });

  it('never disagrees with the generic codec: it refuses, or returns the same octets', () => {
    const lengths = fc.array(fc.constantFrom(0x80, 0x81, 0xff, 0x00, 0x01, 0x05, 0x7f), { maxLength: 6 });
    const message = fc.oneof(
      bufferArbitrary(20),
      fc.tuple(lengths, bufferArbitrary(140)).map(([length, rest]) => Buffer.from([0x0a, ...length, ...rest])),
    );
    fc.assert(
      fc.property(message, (bytes) => {
        const outcome = decodeOrCode(bytes);
        const accepted = outcome instanceof Buffer;
        const expected = accepted ? generic.requestDeserialize(bytes).frames.toString('hex') : 'GIR_ERR_PROTOCOL';
        expect(accepted ? outcome.toString('hex') : outcome).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });
});

function decodeOrCode(message: Buffer): unknown {
  try {
    return decodeBatch(message);
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}
