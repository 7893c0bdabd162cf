/** The result of a load as plain data: what is printed, written as JSON, drawn and asserted. Pure. */
import type { LoadRecord } from './load-record.ts';
import type { TimeSlice } from './timeline.ts';

/** Latencies of successful requests, in milliseconds. */
export interface LatencyFigures {
  readonly min: number;
  readonly avg: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** The names of percentiles as they are shown, and their places. */
export const shownPercentiles = [
  ['p50', 'p50'],
  ['p75', 'p75'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p99.9', 'p99_9'],
  ['max', 'max'],
] as const satisfies readonly (readonly [string, keyof LatencyFigures])[];

/** What a load has shown. */
export interface LoadFigures {
  /** Requests that have ended. */
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Measured time. */
  readonly seconds: number;
  /** Successful ones. */
  readonly requestsPerSecond: number;
  /** The same of each round, when there are several. */
  readonly rounds: readonly number[];
  /** Left out when nothing succeeded. */
  readonly latencyMs?: LatencyFigures;
  /** Octets of HTTP/1.1 or of WebSocket messages. */
  readonly bytes: { readonly received: number; readonly sent: number };
  readonly bytesPerSecond: { readonly received: number; readonly sent: number };
  /** Final answers by status, as text. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Failures by kind. */
  readonly errors: Readonly<Record<string, number>>;
  /** How late requests of an open loop began, in milliseconds. */
  readonly sendLagMs?: { readonly avg: number; readonly max: number };
  /** Longest time without a success, in milliseconds. */
  readonly longestGapMs: number;
  readonly timeline: readonly TimeSlice[];
  /** Latency in milliseconds at growing percentiles, for a curve. */
  readonly curve: readonly (readonly [percentile: number, ms: number])[];
}

/** Returns the figures of a record whose rounds have ended. */
export function loadFigures(record: LoadRecord): LoadFigures {
  const seconds = record.elapsedMs(0) / 1000;
  const perSecond = (amount: number): number => (seconds === 0 ? 0 : amount / seconds);
  const { receivedBytes, sentBytes } = record.traffic;
  const latencyMs = latencyFigures(record);
  const lag = record.sendLag;
  return {
    requests: record.succeeded + record.failed,
    succeeded: record.succeeded,
    failed: record.failed,
    seconds,
    requestsPerSecond: perSecond(record.succeeded),
    rounds: record.roundRates,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    bytes: { received: receivedBytes, sent: sentBytes },
    bytesPerSecond: { received: perSecond(receivedBytes), sent: perSecond(sentBytes) },
    statuses: sorted(record.statuses),
    errors: sorted(record.errors),
    ...(lag === undefined ? {} : { sendLagMs: { avg: lag.averageMs, max: lag.maxMs } }),
    longestGapMs: record.longestGapMs,
    timeline: record.timeline.slices,
    curve: curveOf(record),
  };
}

/** Share of requests that failed, from 0 to 1. */
export function failedShare({ failed, requests }: Pick<LoadFigures, 'failed' | 'requests'>): number {
  return requests === 0 ? 0 : failed / requests;
}

function latencyFigures({ latencies }: LoadRecord): LatencyFigures | undefined {
  const { minMs, averageMs, deviationMs } = latencies;
  if (minMs === undefined || averageMs === undefined || deviationMs === undefined) return undefined;
  const at = (percentile: number): number => latencies.percentileMs(percentile) ?? 0;
  return {
    min: minMs,
    avg: averageMs,
    stddev: deviationMs,
    p50: at(50),
    p75: at(75),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p99_9: at(99.9),
    max: at(100),
  };
}

/** Points per tenfold nearness to 100 %. */
const pointsPerDecade = 12;

/** Percentiles whose distance from 100 % shrinks evenly on a logarithmic scale, as far as there are requests for it. */
function curveOf({ latencies }: LoadRecord): [number, number][] {
  if (latencies.count === 0) return [];
  const decades = Math.max(1, Math.log10(latencies.count));
  const points: [number, number][] = [[0, latencies.minMs ?? 0]];
  for (let step = 1; step <= Math.floor(decades * pointsPerDecade); step += 1) {
    const percentile = 100 * (1 - 10 ** (-step / pointsPerDecade));
    points.push([Number(percentile.toFixed(6)), latencies.percentileMs(percentile) ?? 0]);
  }
  return points;
}

function sorted<Key extends string | number>(counts: ReadonlyMap<Key, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a).map(([key, count]) => [String(key), count]));
}
