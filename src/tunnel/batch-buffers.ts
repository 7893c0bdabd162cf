/**
 * Buffers for large batches, used again as soon as the carrier has passed them on.
 */
import { BufferPool } from '../protocol/buffer-pool.ts';

/** For the largest ordinary batch (256 KiB and one slice), with room for framing; about 6 MB for the whole process. */
export const batchBuffers = new BufferPool(32 * 1024, 384 * 1024, 16);
