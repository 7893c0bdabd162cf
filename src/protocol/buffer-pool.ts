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
  /** All memory that is the pool's: Node cuts small buffers from memory that may have the same size. */
  readonly #own = new WeakSet<ArrayBufferLike>();

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
    return Buffer.from(this.#idle.pop() ?? this.#make(), 0, bytes);
  }

  /** Takes back what {@link take} returned, or a part of it. Nobody may read any of it any more. */
  release(buffer: Buffer): void {
    const { buffer: memory } = buffer;
    const isOwn = memory.byteLength === this.#sizeBytes && this.#own.has(memory);
    if (isOwn && this.#idle.length < this.#maxIdle) this.#idle.push(memory);
  }

  #make(): ArrayBufferLike {
    const { buffer: memory } = Buffer.allocUnsafeSlow(this.#sizeBytes);
    this.#own.add(memory);
    return memory;
  }
}
