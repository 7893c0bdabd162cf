import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../src/load/latency-histogram.ts';

function of(...latencies: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latency of latencies) histogram.record(latency);
  return histogram;
}

describe('LatencyHistogram', () => {
  it('has nothing to tell while it is empty', () => {
    const empty = new LatencyHistogram();
    expect([empty.count, empty.minMs, empty.averageMs, empty.deviationMs]).toEqual([
      0,
      undefined,
      undefined,
      undefined,
    ]);
    expect(empty.percentileMs(50)).toBeUndefined();
  });

  it('tells every percentile within 0.1 % of the sorted latencies', async () => {
    await fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100_000_000 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 100 }),
        (micros, percentile) => {
          const sorted = [...micros].sort((a, b) => a - b);
          const exact = (sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)] ?? 0) / 1000;
          const told = of(...micros.map((value) => value / 1000)).percentileMs(percentile) ?? 0;
          expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.0005);
        },
      ),
    );
  });

  it('keeps the lowest and the highest latency as they were', () => {
    const histogram = of(1.234, 5000.678);
    expect(histogram.minMs).toBe(1.234);
    expect(histogram.percentileMs(100)).toBe(5000.678);
    expect(histogram.percentileMs(99)).toBe(5000.678);
  });

  it('counts what is out of its range at the end of it', () => {
    const histogram = of(0, 5 * 3_600_000);
    expect(histogram.minMs).toBe(0.001);
    expect(histogram.percentileMs(100)).toBe(3_600_000);
  });

  it('adds up with another one, and can be emptied', () => {
    const histogram = of(1, 2);
    histogram.add(of(3, 100));
    expect([histogram.count, histogram.minMs, histogram.percentileMs(100)]).toEqual([4, 1, 100]);
    histogram.reset();
    expect([histogram.count, histogram.minMs]).toEqual([0, undefined]);
    histogram.record(7);
    expect(histogram.percentileMs(100)).toBe(7);
  });
});
