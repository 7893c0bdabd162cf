/**
 * Counts the open connections of each client address. IPv6 clients count by their /64.
 */
import { clientKey } from './client-table.ts';

/** The connections of one edge; no larger than their number. */
export class ConnectionCounts {
  readonly #counts = new Map<string, number>();

  /** Adds a connection; returns how many the client has now. */
  enter(address: string): number {
    const key = clientKey(address);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }

  /** Takes a connection away that was entered. */
  leave(address: string): void {
    const key = clientKey(address);
    const count = (this.#counts.get(key) ?? 0) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
