/**
 * Buffers for large batches, used again as soon as the carrier has passed them on.
 */
import { BufferPool } from '../protocol/buffer-pool.ts';

/** For the largest ordinary batch (128 KiB and one slice), with room for framing; 4 MB for the whole process. */
export const batchBuffers = new BufferPool(32 * 1024, 256 * 1024, 16);
