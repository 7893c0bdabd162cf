/** Bodies that both ends can make: any number of octets of a seed. Without pattern, so that no shift or swap goes unseen. */

/** Returns the first octets of a seed. */
export function octetsOf(seed: number, bytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed >>> 0 || 1;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, bytes);
}

/** Says where octets differ from those that were sent; undefined when they do not. */
export function difference(received: Buffer, sent: Buffer): string | undefined {
  if (received.equals(sent)) return undefined;
  const at = received.findIndex((octet, index) => octet !== sent[index]);
  const where = at === -1 ? 'nothing else' : `the first other one at ${at}`;
  return `${received.length} octets in place of ${sent.length}, ${where}`;
}

/** Cuts a body into the pieces in which it is sent, about as long as `pieceBytes()` says each time. */
export function* piecesOf(body: Buffer, pieceBytes: () => number): Generator<Buffer> {
  for (let from = 0; from < body.length; ) {
    const to = Math.min(body.length, from + pieceBytes());
    yield body.subarray(from, to);
    from = to;
  }
}
