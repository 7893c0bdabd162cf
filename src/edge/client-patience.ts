/**
 * How long one client connection is waited for, by what it owes: a head, body octets, its next request, or that it takes
 * what is written. Pure: the caller passes the time.
 */
import type { EdgeLimits } from './edge-options.ts';

/**
 * A client that takes nothing is given so many times the idle limit: the system tells of what it took only in steps of
 * about a megabyte, so that slow and stopped look alike for minutes.
 */
export const readPatience = 5;

/** What a client owes. */
export type Owed = 'nothing' | 'head' | 'body' | 'next-request';

/** What the socket says about its writing half, in octets. */
export interface WriteFacts {
  readonly bytesWritten: number;
  readonly writableLength: number;
}

/** The patience with one client. */
export class ClientPatience {
  readonly #limits: EdgeLimits;
  /** When the current wait began. */
  #sinceMs: number;
  /** Octets that have left for the client, and since when it is so many. */
  #taken = { bytes: 0, sinceMs: 0 };

  constructor(limits: EdgeLimits, nowMs: number) {
    this.#limits = limits;
    this.#sinceMs = nowMs;
  }

  /** A wait begins now: what was owed has come. */
  renew(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** Returns what has been waited for too long. While anything waits for the client, only that counts (`taking`). */
  exhausted(nowMs: number, writes: WriteFacts, owed: Owed): Owed | 'taking' {
    if (this.#hasStoppedTaking(nowMs, writes)) return 'taking';
    if (writes.writableLength > 0) {
      this.#sinceMs = nowMs;
      return 'nothing';
    }
    return nowMs - this.#sinceMs > this.#limitMs(owed) ? owed : 'nothing';
  }

  #hasStoppedTaking(nowMs: number, { bytesWritten, writableLength }: WriteFacts): boolean {
    const takenBytes = bytesWritten - writableLength;
    if (writableLength > 0 && takenBytes === this.#taken.bytes) {
      return nowMs - this.#taken.sinceMs > this.#limits.bodyIdleTimeoutMs * readPatience;
    }
    this.#taken = { bytes: takenBytes, sinceMs: nowMs };
    return false;
  }

  #limitMs(owed: Owed): number {
    switch (owed) {
      case 'head':
        return this.#limits.headTimeoutMs;
      case 'body':
        return this.#limits.bodyIdleTimeoutMs;
      case 'next-request':
        return this.#limits.keepAliveTimeoutMs;
      case 'nothing':
        return Number.POSITIVE_INFINITY;
    }
  }
}
