import { describe, expect, it } from 'vitest';
import { isDraining } from '../../ui/dashboard/draining.ts';
import type { Stats } from '../../ui/dashboard/edge-api.ts';
import { type Point, withPoint } from '../../ui/dashboard/history.ts';

/** Figures that were taken a number of seconds after the edge started. */
function taken(seconds: number, requests: number, startedAt = '2026-01-01T00:00:00.000Z'): Stats {
  const takenAt = new Date(Date.parse('2026-01-01T00:00:00.000Z') + 1000 * seconds).toISOString();
  const totals = { requests, errors: requests / 10, requestBytes: 0, responseBytes: 100 * requests };
  return { startedAt, takenAt, totals: { ...totals, recent: { p95Ms: 5 } } } as Stats;
}

describe('withPoint()', () => {
  it('makes rates of what was counted between two looks', () => {
    expect(withPoint([], taken(10, 100), taken(12, 140))).toEqual([
      {
        at: Date.parse('2026-01-01T00:00:12Z') / 1000,
        requestsPerSecond: 20,
        errorsPerSecond: 2,
        bytesPerSecond: 2000,
        p50Ms: undefined,
        p95Ms: 5,
        p99Ms: undefined,
      },
    ]);
  });

  it('begins anew at the first look, and when the edge was started again', () => {
    const before = withPoint([], taken(10, 100), taken(12, 140));
    expect(withPoint(before, undefined, taken(14, 160))).toEqual([]);
    expect(withPoint(before, taken(12, 140), taken(14, 1, '2026-01-01T00:00:13.000Z'))).toEqual([]);
  });

  it('adds nothing for the same moment', () => {
    const before = withPoint([], taken(10, 100), taken(12, 140));
    expect(withPoint(before, taken(12, 140), taken(12, 140))).toBe(before);
  });

  it('keeps ten minutes', () => {
    let points: readonly Point[] = [];
    for (let look = 1; look < 400; look += 1) points = withPoint(points, taken(2 * look - 2, 0), taken(2 * look, 0));
    expect(points).toHaveLength(300);
    expect(points.at(-1)?.at).toBe(Date.parse(taken(798, 0).takenAt) / 1000);
  });
});

describe('isDraining()', () => {
  const events = [
    { event: 'exchange', at: '2026-01-01T00:00:09.000Z' },
    { event: 'draining', at: '2026-01-01T00:00:05.000Z' },
  ];

  it('holds from when the edge says so until another one was started in its place', () => {
    expect(isDraining(events.slice(0, 1), '2026-01-01T00:00:00.000Z')).toBe(false);
    expect(isDraining(events, '2026-01-01T00:00:00.000Z')).toBe(true);
    expect(isDraining(events, '2026-01-01T00:00:08.000Z')).toBe(false);
  });
});
