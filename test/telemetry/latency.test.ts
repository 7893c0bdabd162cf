import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { Latency } from '../../src/telemetry/latency.ts';
import { LatencyHistogram } from '../../src/telemetry/latency-histogram.ts';

const shares = [0.5, 0.9, 0.95, 0.99];

describe('LatencyHistogram', () => {
  it('O2 tells percentiles within 1 % of the exact ones', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 600_000, noNaN: true }), { minLength: 1 }), (durations) => {
        const histogram = new LatencyHistogram();
        for (const duration of durations) histogram.observe(duration);
        const sorted = [...durations].sort((a, b) => a - b);
        for (const [index, found] of histogram.percentiles(shares).entries()) {
          const exact = sorted[Math.ceil((shares[index] ?? 0) * sorted.length - 1e-9) - 1] ?? 0;
          // Besides the share, the unit of 10 µs.
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact / 100 + 0.01);
        }
      }),
    );
  });

  it('O2 agrees with HdrHistogram', () => {
    const theirs = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 360_000_000,
      numberOfSignificantValueDigits: 3,
    });
    const ours = new LatencyHistogram();
    for (let index = 1; index <= 10_000; index += 1) {
      const duration = (index * 7919) % 10_007;
      theirs.recordValue(duration * 100);
      ours.observe(duration);
    }
    for (const [index, found] of ours.percentiles(shares).entries()) {
      const reference = theirs.getValueAtPercentile((shares[index] ?? 0) * 100) / 100;
      expect(Math.abs(found - reference) / reference).toBeLessThan(0.01);
    }
  });

  it.each([
    ['nothing', []],
    ['one duration', [5]],
    ['longer than an hour', [5_000_000]],
    ['less than nothing', [-1]],
    ['no time at all', [0]],
  ])('O2 stays within bounds for %s', (_, durations) => {
    const histogram = new LatencyHistogram();
    for (const duration of durations) histogram.observe(duration);
    const [p50 = 0] = histogram.percentiles([0.5]);
    expect(histogram.count).toBe(durations.length);
    expect(p50).toBeGreaterThanOrEqual(0);
    expect(p50).toBeLessThanOrEqual(histogram.maxMs);
  });

  it('O2 counts what another one has counted', () => {
    const [one, both] = [new LatencyHistogram(), new LatencyHistogram()];
    one.observe(10);
    both.observe(1000);
    both.add(one);
    expect([both.count, both.maxMs]).toEqual([2, 1000]);
    expect(both.percentiles([0.5, 1]).map(Math.round)).toEqual([10, 1000]);
  });
});

describe('Latency', () => {
  it('O2 keeps all durations, and forgets in the recent ones those that are older than two slots', () => {
    const latency = new Latency(0);
    latency.observe(100, 1000);
    expect(latency.read(5000)).toMatchObject({ latency: { count: 1 }, recent: { count: 1, windowMs: 5000 } });
    latency.observe(10, 12_000);
    expect(latency.read(12_000)).toMatchObject({ latency: { count: 2 }, recent: { count: 2, windowMs: 12_000 } });
    expect(latency.read(20_000)).toMatchObject({ latency: { count: 2 }, recent: { count: 1, maxMs: 10 } });
    expect(latency.read(30_000)).toEqual({
      latency: expect.objectContaining({ count: 2, maxMs: 100 }),
      recent: { count: 0, windowMs: 10_000 },
    });
    latency.observe(7, 95_000);
    expect(latency.read(95_000)).toMatchObject({ latency: { count: 3, maxMs: 100 }, recent: { count: 1, maxMs: 7 } });
  });

  it('O2 puts places together', () => {
    const [one, other] = [new Latency(0), new Latency(0)];
    one.observe(10, 0);
    other.observe(20, 15_000);
    const { latency, recent } = Latency.readAll([one, other], 25_000);
    expect([latency.count, latency.maxMs, recent.count, recent.maxMs]).toEqual([2, 20, 1, 20]);
    expect(Latency.readAll([], 0)).toEqual({ latency: { count: 0 }, recent: { count: 0, windowMs: 0 } });
  });
});
