import { describe, expect, it } from 'vitest';
import { loadFigures } from '../../src/load/load-figures.ts';
import { LoadRecord } from '../../src/load/load-record.ts';

describe('LoadRecord', () => {
  it('counts successes, failures by kind and statuses, and rates over the measured time', () => {
    const record = new LoadRecord();
    record.begin(1000);
    record.succeed(1100, 10, 200);
    record.succeed(1200, 20, 204);
    record.fail(1300, 'status-503', 503);
    record.fail(1400, 'timeout', 0);
    record.fail(1500, 'status-503', 503);
    record.traffic.receivedBytes += 500;
    record.end(3000);
    expect(loadFigures(record)).toMatchObject({
      requests: 5,
      succeeded: 2,
      failed: 3,
      seconds: 2,
      requestsPerSecond: 1,
      latencyMs: { min: 10, avg: 15, max: 20 },
      bytesPerSecond: { received: 250, sent: 0 },
      statuses: { '200': 1, '204': 1, '503': 2 },
      errors: { 'status-503': 2, timeout: 1 },
    });
  });

  it('leaves the time between rounds out', () => {
    const record = new LoadRecord();
    for (const startMs of [0, 10_000]) {
      record.begin(startMs);
      record.succeed(startMs + 500, 5, 200);
      record.end(startMs + 1000);
    }
    const { seconds, rounds, timeline } = loadFigures(record);
    expect(seconds).toBe(2);
    expect(rounds).toEqual([1, 1]);
    expect(timeline.filter(({ succeeded }) => succeeded === 1).map(({ atSeconds }) => atSeconds)).toEqual([0.5, 1.5]);
  });

  it('knows the longest time without a success, at the start and at the end too', () => {
    const record = new LoadRecord();
    record.begin(0);
    record.succeed(300, 1, 200);
    record.fail(600, 'timeout', 0);
    record.succeed(900, 1, 200);
    record.end(1000);
    expect(record.longestGapMs).toBe(600);
  });

  it('has no latencies when nothing succeeded', () => {
    const record = new LoadRecord();
    record.begin(0);
    record.fail(10, 'refused', 0);
    record.end(20);
    expect(loadFigures(record)).toMatchObject({ requests: 1, requestsPerSecond: 0, curve: [] });
    expect(loadFigures(record)).not.toHaveProperty('latencyMs');
  });
});

describe('the timeline', () => {
  it('holds every request in the slice in which it ended', () => {
    const record = new LoadRecord(100);
    record.begin(0);
    for (let ms = 0; ms < 1000; ms += 10) {
      if (ms === 550) record.fail(ms, 'reset', 0);
      else record.succeed(ms, ms / 10, 200);
    }
    record.end(1000);
    const { timeline } = loadFigures(record);
    expect(timeline).toHaveLength(10);
    expect(timeline.map(({ succeeded, failed }) => succeeded + failed)).toEqual(Array(10).fill(10));
    expect(timeline[5]).toMatchObject({ atSeconds: 0.5, failed: 1, p99Ms: expect.closeTo(59, 1) });
  });

  it('joins slices when there are too many, and loses no request', () => {
    const record = new LoadRecord(100);
    record.begin(0);
    const requests = 10_000;
    for (let index = 0; index < requests; index += 1) record.succeed(index * 100, 1 + (index % 7), 200);
    record.end(requests * 100);
    const { timeline, latencyMs } = loadFigures(record);
    expect(timeline.length).toBeLessThanOrEqual(240);
    expect(timeline.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(requests);
    const ends = timeline.map(({ atSeconds, seconds }) => atSeconds + seconds);
    const gaps = timeline.slice(1).map(({ atSeconds }, index) => Math.abs(atSeconds - (ends[index] ?? 0)));
    expect(Math.max(...gaps)).toBeLessThan(1e-6);
    expect(latencyMs?.max).toBe(7);
  });
});
