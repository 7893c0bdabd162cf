/**
 * Buffers of one size, used again by whoever says when nobody reads them any more.
 *
 * A new buffer for each use would cost a bulk transfer a third of its time in garbage collections, which V8 starts by the
 * octets outside its heap.
 */

/** A pool for the whole process. */
export class BufferPool {
  readonly #minBytes: number;
  readonly #sizeBytes: number;
  readonly #maxIdle: number;
  readonly #idle: ArrayBufferLike[] = [];

  /**
   * @param minBytes What is smaller is cheaper without the pool, in octets.
   * @param sizeBytes Size of each buffer, in octets. What is larger is made anew.
   * @param maxIdle How many are kept while nobody uses them.
   */
  constructor(minBytes: number, sizeBytes: number, maxIdle: number) {
    this.#minBytes = minBytes;
    this.#sizeBytes = sizeBytes;
    this.#maxIdle = maxIdle;
  }

  /** Returns a buffer of `bytes` octets; {@link release} gives it back. What it holds does not matter. */
  take(bytes: number): Buffer {
    if (bytes < this.#minBytes || bytes > this.#sizeBytes) return Buffer.allocUnsafe(bytes);
    const memory = this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes).buffer;
    return Buffer.from(memory, 0, bytes);
  }

  /** Takes back what {@link take} returned, or a part of it. Nobody may read any of it any more. */
  release(buffer: Buffer): void {
    const { buffer: memory } = buffer;
    if (memory.byteLength === this.#sizeBytes && this.#idle.length < this.#maxIdle) this.#idle.push(memory);
  }
}
