/**
 * Copies of body octets that wait to leave. Whoever has octets for a stream only lends them, so it can read its socket
 * into the same memory again.
 */
import { BufferPool } from './buffer-pool.ts';

/** Pieces up to the size of one read of a socket share memory with earlier ones: about 8 MB for the whole process. */
const pool = new BufferPool(16 * 1024, 64 * 1024, 128);

/** Returns a copy, which {@link releaseOctets} gives back. */
export function keepOctets(octets: Buffer): Buffer {
  const copy = pool.take(octets.length);
  copy.set(octets);
  return copy;
}

/** Takes a copy back, or what is left of it. Nobody may read any of it any more. */
export function releaseOctets(copy: Buffer): void {
  pool.release(copy);
}
