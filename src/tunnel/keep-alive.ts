/**
 * Decides by pings alone whether the other end of a carrier is alive, and how far away it is.
 *
 * Never by traffic: a peer that sends may still not read, and one that is idle may be well.
 */
import { performance } from 'node:perf_hooks';

/** The shortest round trip among this many of the latest pings is the one of the bare path. */
const roundTripSamples = 8;
/** So many pings follow each other at once: a single one would tell more of a busy start than of the path. */
const firstPings = 4;
/** Assumed until the first answer, in milliseconds. */
const assumedRoundTripMs = 50;

/** What a keep-alive asks of its owner. */
export interface KeepAliveEvents {
  sendPing(payload: Buffer): void;
  /** A ping was answered after this long, in milliseconds. */
  onRoundTrip(roundTripMs: number): void;
  /** Two intervals have passed without an answer. */
  onDead(): void;
}

/** Pings one peer at an interval. */
export class KeepAlive {
  readonly #events: KeepAliveEvents;
  #timer: NodeJS.Timeout | undefined;
  #intervalMs = 0;
  #sequence = 0;
  /** When the oldest unanswered ping was sent; undefined when all were answered. */
  #unansweredSinceMs: number | undefined;
  /** When the latest ping was sent; undefined once it has been answered. */
  #pingSentMs: number | undefined;
  #lastTickMs = 0;
  readonly #roundTripsMs: number[] = [];

  constructor(events: KeepAliveEvents) {
    this.#events = events;
  }

  /** Shortest round trip lately, in milliseconds. */
  get roundTripMs(): number {
    return this.#roundTripsMs.length === 0 ? assumedRoundTripMs : Math.min(...this.#roundTripsMs);
  }

  /** True when a ping has waited for its answer longer than half the interval. */
  get isOverdue(): boolean {
    return this.#unansweredSinceMs !== undefined && performance.now() - this.#unansweredSinceMs > this.#intervalMs / 2;
  }

  /**
   * Sends the first ping and goes on until {@link stop}.
   * @param intervalMs Time between pings, in milliseconds.
   */
  start(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#lastTickMs = performance.now();
    this.#ping();
    this.#timer = setInterval(() => this.#tick(), this.#intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A PONG arrived. Answers to older pings count as life but are no measure of the path. */
  answered(payload: Buffer): void {
    this.#unansweredSinceMs = undefined;
    if (this.#pingSentMs === undefined || payload.length !== 8 || payload.readUInt32BE(4) !== this.#sequence) return;
    const roundTripMs = performance.now() - this.#pingSentMs;
    this.#roundTripsMs.push(roundTripMs);
    this.#pingSentMs = undefined;
    if (this.#roundTripsMs.length > roundTripSamples) this.#roundTripsMs.shift();
    else if (this.#roundTripsMs.length < firstPings) this.#ping();
    this.#events.onRoundTrip(roundTripMs);
  }

  #tick(): void {
    const nowMs = performance.now();
    // A late tick means that this process itself stood still (suspended, stopped): the answer may be waiting
    // unread in the socket, so the peer gets another interval.
    const stoodStill = nowMs - this.#lastTickMs > this.#intervalMs * 1.5;
    this.#lastTickMs = nowMs;
    if (stoodStill) this.#unansweredSinceMs = undefined;
    if (this.#unansweredSinceMs !== undefined && nowMs - this.#unansweredSinceMs >= this.#intervalMs * 1.5) {
      this.stop();
      this.#events.onDead();
      return;
    }
    this.#ping();
  }

  #ping(): void {
    this.#sequence += 1;
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(this.#sequence, 4);
    this.#pingSentMs = performance.now();
    this.#unansweredSinceMs ??= this.#pingSentMs;
    this.#events.sendPing(payload);
  }
}
