/**
 * What is kept of body octets for a client that is slow: its own, and not everybody's who were in the same buffer.
 */

/** Pieces smaller than this share of the buffer they are cut from are copied. */
const compactShare = 0.5;

/** Returns a piece as it is to be written. @param waitingBytes What waits for the client already, in octets. */
export function keptPiece(piece: Buffer, waitingBytes: number): Buffer {
  if (waitingBytes === 0 || piece.length >= piece.buffer.byteLength * compactShare) return piece;
  return Buffer.from(piece);
}
