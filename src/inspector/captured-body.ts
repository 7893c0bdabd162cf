/**
 * Keeps the beginning of a body that passes by: a copy up to a bound, and the count of the rest.
 *
 * The copy lies in one buffer that grows by doubling, so that a stream of many tiny pieces costs no object per piece.
 */

/** Octets of captured bodies are paid for with the store that holds them. */
export interface OctetAccount {
  /** Takes note that `bytes` more octets are held; negative for fewer. */
  charge(bytes: number): void;
}

const nothing = Buffer.alloc(0);

/** One captured body. */
export class CapturedBody {
  readonly #maxBytes: number;
  readonly #account: OctetAccount;
  #buffer = nothing;
  #capturedBytes = 0;
  #totalBytes = 0;

  /** @param maxBytes Octets kept at most. */
  constructor(maxBytes: number, account: OctetAccount) {
    this.#maxBytes = maxBytes;
    this.#account = account;
  }

  /** Octets that passed, kept or not. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Whether more passed than is kept. */
  get isTruncated(): boolean {
    return this.#totalBytes > this.#capturedBytes;
  }

  /** What is kept. Later pieces do not change it. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#capturedBytes);
  }

  /** Takes a piece that passes. Copies what is below the bound, and nothing beyond it. */
  add(chunk: Buffer): void {
    // After a gap nothing more is kept: what is kept is a beginning.
    const room = this.isTruncated ? 0 : this.#maxBytes - this.#capturedBytes;
    this.#totalBytes += chunk.length;
    if (room > 0) this.#keep(chunk, Math.min(room, chunk.length));
  }

  #keep(chunk: Buffer, bytes: number): void {
    const wanted = this.#capturedBytes + bytes;
    if (wanted > this.#buffer.length) {
      const capacity = this.#capturedBytes === 0 ? bytes : Math.min(this.#maxBytes, 2 * wanted);
      const grown = Buffer.allocUnsafe(capacity);
      this.#buffer.copy(grown, 0, 0, this.#capturedBytes);
      this.#account.charge(capacity - this.#buffer.length);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#capturedBytes, 0, bytes);
    this.#capturedBytes = wanted;
  }
}
