import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../src/protocol/buffer-pool.ts';

const kibibyte = 1024;

/** As the one for batches. */
function somePool(): BufferPool {
  return new BufferPool(32 * kibibyte, 384 * kibibyte, 16);
}

describe('BufferPool', () => {
  it('makes buffers of the size that was asked for, whatever it is', () => {
    const pool = somePool();
    const sizes = [0, 1, 32 * kibibyte - 1, 32 * kibibyte, 384 * kibibyte, 384 * kibibyte + 1, 5_000_000];
    expect(sizes.map((bytes) => pool.take(bytes).length)).toEqual(sizes);
  });

  it('uses them again, in full, once they are given back and not before', () => {
    const pool = somePool();
    const first = pool.take(100 * kibibyte);
    const second = pool.take(100 * kibibyte);
    expect(second.buffer).not.toBe(first.buffer);
    pool.release(first);
    const third = pool.take(384 * kibibyte);
    expect(third.buffer).toBe(first.buffer);
    expect(third).toHaveLength(384 * kibibyte);
    expect(pool.take(100 * kibibyte).buffer).not.toBe(first.buffer);
  });

  it('does not take in those of other origin: small ones, which share memory, very large ones, and memory of its size', () => {
    const pool = somePool();
    const small = pool.take(1000);
    const large = pool.take(1_000_000);
    pool.release(small);
    pool.release(large);
    const foreign = Buffer.alloc(384 * kibibyte);
    pool.release(foreign);
    pool.release(foreign.subarray(10, 20));
    const taken = [pool.take(40_000), pool.take(40_000), pool.take(40_000)];
    expect(new Set([small, large, foreign, ...taken].map(({ buffer }) => buffer)).size).toBe(6);
    expect(taken.map(({ byteOffset }) => byteOffset)).toEqual([0, 0, 0]);
  });

  it('takes a part of one for the whole', () => {
    const pool = somePool();
    const whole = pool.take(100 * kibibyte);
    pool.release(whole.subarray(60_000));
    const again = pool.take(384 * kibibyte);
    expect([again.buffer, again.byteOffset]).toEqual([whole.buffer, 0]);
  });

  it('keeps a bounded number of them', () => {
    const pool = somePool();
    const buffers = Array.from({ length: 100 }, () => pool.take(40_000));
    for (const buffer of buffers) pool.release(buffer);
    const before = new Set(buffers.map(({ buffer }) => buffer));
    const again = Array.from({ length: 100 }, () => pool.take(40_000));
    expect(again.filter(({ buffer }) => before.has(buffer))).toHaveLength(16);
  });
});
