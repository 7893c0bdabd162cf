/**
 * The streams of one carrier by their ids, which rise and are never used again.
 *
 * Not a Map: V8 links the tables that a busy Map has outgrown, and keeps the streams in them, long over, until its next
 * full collection. Streams stand in slots instead, by the lowest bits of their ids; one that lives so long that a later
 * one needs its slot makes the later one stand in a Map.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { noStream, type StreamId } from '../protocol/frame.ts';
import type { Stream } from './stream.ts';

/** Slots at first, a count; a power of 2. They double when half of them are taken, and do not shrink. */
const initialSlots = 64;

/** Streams that are open, and the highest id that ever was. */
export class StreamTable {
  #slots: (Stream | undefined)[] = emptySlots(initialSlots);
  readonly #displaced = new Map<StreamId, Stream>();
  #size = 0;
  #highest: StreamId = noStream;

  /** Number of streams that are open. */
  get size(): number {
    return this.#size;
  }

  /** A copy, which stays as it is while streams end; in no particular order. */
  get all(): readonly Stream[] {
    return [...this.#slots.filter((stream) => stream !== undefined), ...this.#displaced.values()];
  }

  add(stream: Stream): void {
    this.#highest = stream.id;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#double();
    this.#place(stream);
  }

  remove(stream: Stream): void {
    const slot = this.#slotOf(stream.id);
    if (this.#slots[slot] === stream) this.#slots[slot] = undefined;
    else if (!this.#displaced.delete(stream.id)) return;
    this.#size -= 1;
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
    const stream = this.#slots[this.#slotOf(id)];
    if (stream?.id === id) return stream;
    if (id > this.#highest) throw new GiraffeError('GIR_ERR_PROTOCOL', `stream ${id} was never opened`);
    return this.#displaced.get(id);
  }

  /** Fails every stream. What a sink throws is a bug of ours, and is thrown on when all the others know. */
  failAll(error: GiraffeError): void {
    const faults: unknown[] = [];
    for (const stream of this.all) {
      try {
        stream.fail(error);
      } catch (fault) {
        faults.push(fault);
      }
    }
    if (faults.length > 0) throw faults[0];
  }

  #place(stream: Stream): void {
    const slot = this.#slotOf(stream.id);
    if (this.#slots[slot] === undefined) this.#slots[slot] = stream;
    else this.#displaced.set(stream.id, stream);
  }

  #slotOf(id: StreamId): number {
    return id & (this.#slots.length - 1);
  }

  #double(): void {
    const streams = this.all;
    this.#slots = emptySlots(this.#slots.length * 2);
    this.#displaced.clear();
    for (const stream of streams) this.#place(stream);
  }
}

function emptySlots(count: number): (Stream | undefined)[] {
  return new Array<Stream | undefined>(count).fill(undefined);
}
