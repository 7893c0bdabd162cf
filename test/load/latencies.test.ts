import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Latencies } from '../../src/load/latencies.ts';

function of(...latencies: readonly number[]): Latencies {
  const histogram = new Latencies();
  for (const latency of latencies) histogram.record(latency);
  return histogram;
}

describe('Latencies', () => {
  it('has nothing to tell while it is empty', () => {
    const empty = new Latencies();
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

  it('tells average and standard deviation of the latencies themselves', () => {
    const latencies = of(2, 4, 4, 4, 5, 5, 7, 9);
    expect(latencies.averageMs).toBeCloseTo(5, 9);
    expect(latencies.deviationMs).toBeCloseTo(2, 9);
    expect(of(3, 3, 3).deviationMs).toBe(0);
  });

  it('keeps the lowest and the highest latency as they were', () => {
    const histogram = of(1.234, 5000.678);
    expect(histogram.minMs).toBe(1.234);
    expect(histogram.percentileMs(100)).toBe(5000.678);
    expect(Math.abs((histogram.percentileMs(99) ?? 0) - 5000.678)).toBeLessThan(5);
    expect(of(1.234).percentileMs(50)).toBe(1.234);
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
