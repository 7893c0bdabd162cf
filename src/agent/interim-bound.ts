/**
 * Bounds the interim (1xx) responses of one exchange: they are subject to no credit, so an origin that sends them without
 * an end would fill what all exchanges of the session share.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** A count: one in a second, as some origins tell of their progress, goes on for a quarter of an hour. */
const maxInterims = 1000;
/** Octets of their heads together. */
const maxInterimBytes = 1024 * 1024;

/** Counts the interim responses of one exchange. */
export class InterimBound {
  #count = 0;
  #bytes = 0;

  /**
   * Takes note of one more.
   * @throws {GiraffeError} GIR_ERR_ORIGIN_PROTOCOL above 1,000 of them, or 1 MiB in all.
   */
  add(bytes: number): void {
    this.#count += 1;
    this.#bytes += bytes;
    if (this.#count <= maxInterims && this.#bytes <= maxInterimBytes) return;
    throw new GiraffeError('GIR_ERR_ORIGIN_PROTOCOL', 'interim responses without an end');
  }
}
