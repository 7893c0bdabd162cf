import { describe, expect, it } from 'vitest';
import { releaseBatchBuffer, takeBatchBuffer } from '../../src/tunnel/batch-buffers.ts';

const kibibyte = 1024;

describe('batch buffers', () => {
  it('have the size that was asked for, whatever it is', () => {
    const sizes = [0, 1, 32 * kibibyte - 1, 32 * kibibyte, 384 * kibibyte, 384 * kibibyte + 1, 5_000_000];
    expect(sizes.map((bytes) => takeBatchBuffer(bytes).length)).toEqual(sizes);
  });

  it('are used again, in full, once they are given back and not before', () => {
    const first = takeBatchBuffer(100 * kibibyte);
    const second = takeBatchBuffer(100 * kibibyte);
    expect(second.buffer).not.toBe(first.buffer);
    releaseBatchBuffer(first);
    const third = takeBatchBuffer(384 * kibibyte);
    expect(third.buffer).toBe(first.buffer);
    expect(third).toHaveLength(384 * kibibyte);
    expect(takeBatchBuffer(100 * kibibyte).buffer).not.toBe(first.buffer);
  });

  it('of other origin are not taken in: small ones, which share memory, and very large ones', () => {
    const small = takeBatchBuffer(1000);
    const large = takeBatchBuffer(1_000_000);
    releaseBatchBuffer(small);
    releaseBatchBuffer(large);
    releaseBatchBuffer(Buffer.alloc(384 * kibibyte).subarray(1));
    const taken = [takeBatchBuffer(40_000), takeBatchBuffer(40_000), takeBatchBuffer(40_000)];
    expect(new Set([small, large, ...taken].map(({ buffer }) => buffer)).size).toBe(5);
    expect(taken.map(({ byteOffset }) => byteOffset)).toEqual([0, 0, 0]);
  });

  it('are kept to a bounded number', () => {
    const buffers = Array.from({ length: 100 }, () => takeBatchBuffer(40_000));
    for (const buffer of buffers) releaseBatchBuffer(buffer);
    const before = new Set(buffers.map(({ buffer }) => buffer));
    const again = Array.from({ length: 100 }, () => takeBatchBuffer(40_000));
    expect(again.filter(({ buffer }) => before.has(buffer))).toHaveLength(16);
  });
});
