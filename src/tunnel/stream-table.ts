/**
 * The streams of one carrier by their ids, which rise and are never used again.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { noStream, type StreamId } from '../protocol/frame.ts';
import type { Stream } from './stream.ts';

/** Streams that are open, and the highest id that ever was. */
export class StreamTable {
  readonly #streams = new Map<StreamId, Stream>();
  #highest: StreamId = noStream;

  /** Number of streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** A copy, which stays as it is while streams end. */
  get all(): readonly Stream[] {
    return [...this.#streams.values()];
  }

  add(stream: Stream): void {
    this.#highest = stream.id;
    this.#streams.set(stream.id, stream);
  }

  remove(stream: Stream): void {
    this.#streams.delete(stream.id);
  }

  /**
   * Notes the id of a stream that the other end opens.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL when it is not higher than all before.
   */
  claim(id: StreamId): void {
    if (id <= this.#highest) throw new GiraffeError('GIR_ERR_PROTOCOL', `stream ${id} was opened before`);
    this.#highest = id;
  }

  /**
   * Finds a stream; undefined for one that is over, whose late frames are of no interest.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL when there never was one with this id.
   */
  find(id: StreamId): Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined && id > this.#highest) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `stream ${id} was never opened`);
    }
    return stream;
  }
}
