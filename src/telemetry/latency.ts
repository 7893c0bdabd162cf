/**
 * Durations of exchanges, of all of them and of the latest: what is slow now must not drown in what was fast last week.
 * The latest are those of the current slot of time and of the one before it. Its clock is the caller's.
 */
import { LatencyHistogram } from './latency-histogram.ts';

/** Length of a slot, in milliseconds. */
const slotMs = 10_000;

/** Percentiles of durations, in milliseconds; left out when there was nothing to measure. */
export interface LatencyFigures {
  /** Durations that were measured. */
  readonly count: number;
  readonly p50Ms?: number;
  readonly p90Ms?: number;
  readonly p95Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
}

/** Percentiles of the latest durations. */
export interface RecentFigures extends LatencyFigures {
  /** Over how long, in milliseconds. */
  readonly windowMs: number;
}

/** Both. */
export interface LatencyReading {
  readonly latency: LatencyFigures;
  readonly recent: RecentFigures;
}

/** Histograms of one moment. */
interface Histograms {
  readonly all: LatencyHistogram;
  readonly latest: LatencyHistogram;
  readonly windowMs: number;
}

/** Durations of one place. Up to three histograms of 12 KiB; one when nothing has happened for a while. */
export class Latency {
  readonly #startedMs: number;
  #slot: number;
  #current: LatencyHistogram | undefined;
  #former: LatencyHistogram | undefined;
  /** What is older than both. */
  #old: LatencyHistogram | undefined;

  /** @param nowMs A clock that does not run backwards, in milliseconds. */
  constructor(nowMs: number) {
    this.#startedMs = nowMs;
    this.#slot = slotOf(nowMs);
  }

  /** Counts a duration, in milliseconds. */
  observe(durationMs: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#current ??= new LatencyHistogram();
    this.#current.observe(durationMs);
  }

  /** Returns the figures of this moment. */
  read(nowMs: number): LatencyReading {
    return figuresOf(this.#histograms(nowMs));
  }

  /** Returns the figures of several places together. */
  static readAll(places: Iterable<Latency>, nowMs: number): LatencyReading {
    const sum = { all: new LatencyHistogram(), latest: new LatencyHistogram(), windowMs: 0 };
    for (const place of places) {
      const { all, latest, windowMs } = place.#histograms(nowMs);
      sum.all.add(all);
      sum.latest.add(latest);
      sum.windowMs = Math.max(sum.windowMs, windowMs);
    }
    return figuresOf(sum);
  }

  #histograms(nowMs: number): Histograms {
    this.#turn(nowMs);
    const all = new LatencyHistogram();
    const latest = new LatencyHistogram();
    for (const part of [this.#current, this.#former]) if (part !== undefined) latest.add(part);
    for (const part of [latest, this.#old]) if (part !== undefined) all.add(part);
    return { all, latest, windowMs: Math.min(nowMs - this.#startedMs, slotMs + (nowMs % slotMs)) };
  }

  /** Moves on to the slot of this moment. */
  #turn(nowMs: number): void {
    const slot = slotOf(nowMs);
    if (slot === this.#slot) return;
    this.#retire(this.#former);
    if (slot === this.#slot + 1) {
      this.#former = this.#current;
    } else {
      this.#retire(this.#current);
      this.#former = undefined;
    }
    this.#current = undefined;
    this.#slot = slot;
  }

  #retire(part: LatencyHistogram | undefined): void {
    if (part === undefined) return;
    if (this.#old === undefined) this.#old = part;
    else this.#old.add(part);
  }
}

/** The same for all places, so that their figures can be put together. */
function slotOf(nowMs: number): number {
  return Math.floor(nowMs / slotMs);
}

const noLatency: LatencyReading = { latency: { count: 0 }, recent: { count: 0, windowMs: 0 } };

/** Returns the figures of a place that may have measured nothing. */
export function readLatency(place: Latency | undefined, nowMs: number): LatencyReading {
  return place?.read(nowMs) ?? noLatency;
}

function figuresOf({ all, latest, windowMs }: Histograms): LatencyReading {
  return { latency: percentilesOf(all), recent: { ...percentilesOf(latest), windowMs: Math.round(windowMs) } };
}

function percentilesOf(histogram: LatencyHistogram): LatencyFigures {
  const { count, maxMs } = histogram;
  if (count === 0) return { count };
  const [p50 = 0, p90 = 0, p95 = 0, p99 = 0] = histogram.percentiles([0.5, 0.9, 0.95, 0.99]);
  return {
    count,
    p50Ms: rounded(p50),
    p90Ms: rounded(p90),
    p95Ms: rounded(p95),
    p99Ms: rounded(p99),
    maxMs: rounded(maxMs),
  };
}

/** To the unit of the buckets. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
