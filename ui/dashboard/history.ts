/** Makes rates of counters that are looked at again and again. Pure. */
import type { Stats } from './edge-api.ts';

/** What one look tells; rates since the look before. */
export interface Point {
  /** Seconds since the epoch, as plots want it. */
  readonly at: number;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Of the last 10 to 20 s; undefined without any exchange in them. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** Points kept: ten minutes of looks two seconds apart. */
const maxPoints = 300;

/** Returns the points with one more. A counter that falls belongs to an edge that was started again. */
export function withPoint(points: readonly Point[], before: Stats | undefined, now: Stats): readonly Point[] {
  if (before === undefined || before.startedAt !== now.startedAt) return [];
  const seconds = (Date.parse(now.takenAt) - Date.parse(before.takenAt)) / 1000;
  if (seconds <= 0) return points;
  const rate = (count: (stats: Stats) => number): number => Math.max(0, count(now) - count(before)) / seconds;
  const { recent } = now.totals;
  const point: Point = {
    at: Date.parse(now.takenAt) / 1000,
    requestsPerSecond: rate(({ totals }) => totals.requests),
    errorsPerSecond: rate(({ totals }) => totals.errors),
    bytesPerSecond: rate(({ totals }) => totals.requestBytes + totals.responseBytes),
    p50Ms: recent.p50Ms,
    p95Ms: recent.p95Ms,
    p99Ms: recent.p99Ms,
  };
  return [...points.slice(1 - maxPoints), point];
}
