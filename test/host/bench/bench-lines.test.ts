import { describe, expect, it } from 'vitest';
import { benchLines, noPaint, summaryLine } from '../../../src/host/bench/bench-lines.ts';
import { benchDocument } from '../../../src/host/bench/bench-result.ts';
import { progressText } from '../../../src/host/bench/progress-bar.ts';
import { loadFigures } from '../../../src/load/load-figures.ts';
import { recordOf, resultOf, wayOf } from './result.ts';

describe('summaryLine()', () => {
  it.each([
    [1000, 12.3, 0, 'Requests: 1000, Failed: 0 (0%), Avg Latency: 12ms'],
    [999, 0.456, 1, 'Requests: 1000, Failed: 1 (0.1%), Avg Latency: 0.46ms'],
    [0, 0, 7, 'Requests: 7, Failed: 7 (100%), Avg Latency: -'],
    [3, 12_345, 1, 'Requests: 4, Failed: 1 (25%), Avg Latency: 12345ms'],
  ])('O8 of %i answers after %d ms and %i failures', (succeeded, latencyMs, failed, expected) => {
    expect(summaryLine(loadFigures(recordOf(succeeded, latencyMs, failed)))).toBe(expected);
  });
});

describe('benchLines()', () => {
  it('begins with the summary, and fits 80 columns', () => {
    const lines = benchLines(resultOf([wayOf('hybrid', recordOf(1000, 12, 3))]), noPaint);
    expect(lines[0]).toBe('Requests: 1003, Failed: 3 (0.3%), Avg Latency: 12ms');
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(lines.join('\n')).toContain('GRPC_RATE_LIMIT_RPM=0');
  });

  it('compares ways with direct, and fits 80 columns', () => {
    const results = [wayOf('grpc', recordOf(500, 20)), wayOf('direct', recordOf(1000, 10))];
    const lines = benchLines(resultOf(results, { compare: 'grpc,direct' }), noPaint);
    expect(lines[0]).toBe('Comparison with direct');
    expect(lines[2]).toMatch(/^ {2}grpc +500 +0\.50x +20ms +2\.00x/);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('says when the generator was the limit, and only then', () => {
    const text = (cores: number) => benchLines(resultOf([wayOf('hybrid', recordOf(9, 1), cores)]), noPaint).join('\n');
    expect(text(0.97)).toContain('the generator used up its core');
    expect(text(0.6)).not.toContain('the generator used up its core');
  });

  it('shows each verdict with what was seen', () => {
    const result = resultOf([wayOf('hybrid', recordOf(9, 1))]);
    const verdict = { assertion: 'p99<1us', holds: false, way: undefined, seen: 1, wanted: 0.001, seenText: '1ms' };
    expect(benchLines({ ...result, verdicts: [verdict] }, noPaint).at(-1)).toBe('FAILED  p99<1us (seen 1ms)');
  });
});

describe('benchDocument()', () => {
  it('S7 names headers without their values', () => {
    const text = JSON.stringify(benchDocument(resultOf([wayOf('hybrid', recordOf(9, 1))])));
    expect(text).toContain('"headers":["Authorization"]');
    expect(text).not.toContain('hunter2');
  });
});

describe('progressText()', () => {
  it.each([40, 80, 160])('is narrower than a terminal of %i columns', (columns) => {
    const text = progressText({ label: 'grpc, round 2 of 3', done: 0.5, requests: 123_456, failed: 7 }, columns);
    expect(text.length).toBeLessThan(columns);
    expect(text).toContain('50%');
  });
});
