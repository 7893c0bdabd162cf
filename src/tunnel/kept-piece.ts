/**
 * What is kept of body octets for a client or an origin that is slow: its own, and not everybody's who were in the same buffer.
 */

/** Pieces smaller than this share of the buffer they are cut from are copied. */
const compactShare = 0.5;

/** Returns a piece as it is to be written. @param waitingBytes What waits for the same peer already, in octets. */
export function keptPiece(piece: Buffer, waitingBytes: number): Buffer {
  if (waitingBytes === 0 || piece.length >= piece.buffer.byteLength * compactShare) return piece;
  const kept = ownMemory(piece.length);
  kept.set(piece);
  return kept;
}

/**
 * Returns a buffer that shares its memory with no other. What Node cuts from its pool keeps all of that, 64 KiB from Node 24 on,
 * of which everybody else may have had the rest.
 */
export function ownMemory(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes);
}
