/**
 * Counts what comes of the requests of a load. Pure: the caller brings the time.
 *
 * Measured time may have gaps: with several ways in turn, each has its rounds.
 */
import type { FailureKind } from './failure-kind.ts';
import { Latencies } from './latencies.ts';
import { Timeline } from './timeline.ts';

/** Octets that passed, heads and frames of HTTP included, TLS not. */
export interface Traffic {
  receivedBytes: number;
  sentBytes: number;
}

/** How late requests began behind their intended start, in milliseconds; an open loop only. */
export interface SendLag {
  readonly averageMs: number;
  readonly maxMs: number;
}

/** What has been seen so far. All times in milliseconds. */
export class LoadRecord {
  readonly latencies = new Latencies();
  readonly timeline: Timeline;
  readonly traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
  /** Requests that failed, by what was wrong. */
  readonly errors = new Map<FailureKind, number>();
  /** Final answers by status. */
  readonly statuses = new Map<number, number>();
  /** Successful requests per second of each round. */
  readonly roundRates: number[] = [];
  succeeded = 0;
  failed = 0;
  /** Longest measured time without a success. */
  longestGapMs = 0;
  #lastSuccessMs = 0;
  #measuredMs = 0;
  #startMs: number | undefined;
  #succeededBefore = 0;
  #lagSumMs = 0;
  #lagMaxMs = 0;
  #lagCount = 0;

  /** @param sliceMs Width of the first slices of the timeline. Default 250. */
  constructor(sliceMs = 250) {
    this.timeline = new Timeline(sliceMs, this.latencies);
  }

  /** Begins a round. */
  begin(nowMs: number): void {
    this.#startMs = nowMs;
    this.#succeededBefore = this.succeeded;
  }

  /** Ends the round. Until then its latencies are not in {@link latencies}. */
  end(nowMs: number): void {
    if (this.#startMs === undefined) return;
    const roundMs = nowMs - this.#startMs;
    this.#measuredMs += roundMs;
    this.#startMs = undefined;
    this.#noteGap(this.#measuredMs);
    this.timeline.flush(this.#measuredMs);
    if (0 < roundMs) this.roundRates.push((this.succeeded - this.#succeededBefore) / (roundMs / 1000));
  }

  /** Measured time, the round under way included. */
  elapsedMs(nowMs: number): number {
    return this.#measuredMs + (this.#startMs === undefined ? 0 : nowMs - this.#startMs);
  }

  /** One request has its answer. @param status Final status; 0 where there is none, as with a WebSocket message. */
  succeed(nowMs: number, latencyMs: number, status: number): void {
    this.succeeded += 1;
    this.#countStatus(status);
    const elapsedMs = this.elapsedMs(nowMs);
    this.#noteGap(elapsedMs);
    this.#lastSuccessMs = elapsedMs;
    this.timeline.succeed(elapsedMs, latencyMs);
  }

  /** One request has failed. @param status Of its answer; 0 when none came. */
  fail(nowMs: number, kind: FailureKind, status: number): void {
    this.failed += 1;
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
    this.#countStatus(status);
    this.timeline.fail(this.elapsedMs(nowMs));
  }

  /** A request of an open loop has begun. @param lagMs How long after its intended start. */
  lag(lagMs: number): void {
    this.#lagCount += 1;
    this.#lagSumMs += lagMs;
    if (this.#lagMaxMs < lagMs) this.#lagMaxMs = lagMs;
  }

  /** Undefined unless {@link lag} was told of any. */
  get sendLag(): SendLag | undefined {
    if (this.#lagCount === 0) return undefined;
    return { averageMs: this.#lagSumMs / this.#lagCount, maxMs: this.#lagMaxMs };
  }

  #noteGap(elapsedMs: number): void {
    const gapMs = elapsedMs - this.#lastSuccessMs;
    if (this.longestGapMs < gapMs) this.longestGapMs = gapMs;
  }

  #countStatus(status: number): void {
    if (status !== 0) this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }
}
