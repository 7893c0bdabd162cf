/**
 * Buffers for large batches, used again as soon as the carrier has passed them on.
 *
 * A new buffer for each would cost a bulk transfer a third of its time in
 * garbage collections, which V8 starts by the octets outside its heap.
 */

/** Batches up to this size are cheaper without the pool, in octets. */
const minPooledBytes = 32 * 1024;
/** Size of a pooled buffer, in octets: the largest ordinary batch (256 KiB and one slice), with room for framing. */
const pooledBytes = 384 * 1024;
/** Idle buffers that are kept, a count: about 6 MB for the whole process. */
const maxIdle = 16;

const idle: Buffer[] = [];

/** Returns a buffer of `bytes` octets; {@link releaseBatchBuffer} gives it back. */
export function takeBatchBuffer(bytes: number): Buffer {
  if (bytes < minPooledBytes || bytes > pooledBytes) return Buffer.allocUnsafe(bytes);
  const whole = idle.pop() ?? Buffer.allocUnsafeSlow(pooledBytes);
  return whole.subarray(0, bytes);
}

/** Takes a buffer back. Nobody may read it any more. */
export function releaseBatchBuffer(buffer: Buffer): void {
  const isPooled = buffer.buffer.byteLength === pooledBytes && buffer.byteOffset === 0;
  if (isPooled && idle.length < maxIdle) idle.push(Buffer.from(buffer.buffer, 0, pooledBytes));
}
