/**
 * Knows for which urgencies much has arrived lately. Costs nothing until somebody is of another urgency than all others.
 * Pure: the caller passes the time.
 */
import { maxUrgency } from './turns.ts';

/** What is said about the past holds for one to two of these, in milliseconds. */
const spanMs = 50;
/** This many octets within a span are much: a transfer, and no stream of events. */
const muchBytes = 16 * 1024;

/** Arrivals of all streams of one carrier. */
export class Arrivals {
  #isWatching = false;
  #spanStartMs = 0;
  /** Octets of the running span, and of the one before it, by urgency. */
  #current = new Float64Array(maxUrgency + 1);
  #former = new Float64Array(maxUrgency + 1);

  /** There is somebody of another urgency from now on. */
  watch(): void {
    this.#isWatching = true;
  }

  /** Counts octets. */
  note(urgency: number, bytes: number, nowMs: number): void {
    if (!this.#isWatching) return;
    this.#turn(nowMs);
    this.#current[urgency] = (this.#current[urgency] ?? 0) + bytes;
  }

  /** Whether much has just arrived for something more urgent. */
  isBusyAbove(urgency: number, nowMs: number): boolean {
    if (!this.#isWatching) return false;
    this.#turn(nowMs);
    for (let above = 0; above < urgency; above += 1) {
      if (Math.max(this.#current[above] ?? 0, this.#former[above] ?? 0) >= muchBytes) return true;
    }
    return false;
  }

  /** Begins another span when this one is over. */
  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#spanStartMs;
    if (elapsedMs < spanMs) return;
    const last = this.#former;
    this.#former = this.#current;
    this.#current = last.fill(0);
    if (elapsedMs >= 2 * spanMs) this.#former.fill(0);
    this.#spanStartMs = nowMs;
  }
}
