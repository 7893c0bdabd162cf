import { describe, expect, it } from 'vitest';
import { keptPiece } from '../../src/tunnel/kept-piece.ts';

describe('what is kept for a peer that is slow', () => {
  const read = Buffer.from(new ArrayBuffer(65_536));

  it('S5 is a small piece without the buffer that it was cut from, and without that of anybody else', () => {
    const piece = read.subarray(10, 20);
    const kept = keptPiece(piece, 1);
    expect(kept).toEqual(piece);
    expect(kept.buffer.byteLength).toBe(piece.length);
  });

  it('S5 is the piece itself where it is most of its buffer, or where nothing waits', () => {
    const most = read.subarray(0, 40_000);
    const little = read.subarray(10, 20);
    expect([keptPiece(most, 1), keptPiece(little, 0)].every(({ buffer }) => buffer === read.buffer)).toBe(true);
  });
});
