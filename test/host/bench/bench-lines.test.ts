import { describe, expect, it } from 'vitest';
import { benchSettings } from '../../../src/config/bench-settings.ts';
import { type FlagValues, resolveSettings } from '../../../src/config/setting.ts';
import { benchLines, noPaint, summaryLine } from '../../../src/host/bench/bench-lines.ts';
import { benchPlan } from '../../../src/host/bench/bench-plan.ts';
import { type BenchResult, benchDocument } from '../../../src/host/bench/bench-result.ts';
import type { WayResult } from '../../../src/host/bench/measure-ways.ts';
import { progressText } from '../../../src/host/bench/progress-bar.ts';
import { loadFigures } from '../../../src/load/load-figures.ts';
import { LoadRecord } from '../../../src/load/load-record.ts';

function recordOf(succeeded: number, latencyMs: number, failed = 0): LoadRecord {
  const record = new LoadRecord();
  record.begin(0);
  for (let count = 0; count < succeeded; count += 1) record.succeed(count, latencyMs, 200);
  for (let count = 0; count < failed; count += 1) record.fail(succeeded, 'status-429', 429);
  record.end(1000);
  return record;
}

function way(name: string, record: LoadRecord, cores = 0.2): WayResult {
  return {
    name,
    figures: loadFigures(record),
    percentileMs: (place) => record.latencies.percentileMs(place),
    extra: {},
    generator: { cpuMicrosPerRequest: 20, cores, busyShare: cores },
    processes: [{ name: 'edge', cpuMicrosPerRequest: 48.4, memoryBytes: 120e6 }],
  };
}

function resultOf(results: readonly WayResult[], flags: FlagValues = {}): BenchResult {
  const settings = resolveSettings(benchSettings, flags, {});
  return {
    plan: benchPlan(undefined, settings, [['Authorization', 'Bearer hunter2']]),
    startedAt: new Date(0),
    version: '1.2.3',
    machine: { cpu: 'Some CPU', cores: 2, memoryBytes: 8e9, node: 'v20', os: 'linux' },
    isInterrupted: false,
    calibration: { cpuMicrosPerRequest: 18, requestsPerSecond: 55_555 },
    results,
    scenario: undefined,
    verdicts: [],
  };
}

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
    const lines = benchLines(resultOf([way('hybrid', recordOf(1000, 12, 3))]), noPaint);
    expect(lines[0]).toBe('Requests: 1003, Failed: 3 (0.3%), Avg Latency: 12ms');
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(lines.join('\n')).toContain('GRPC_RATE_LIMIT_RPM=0');
  });

  it('compares ways with direct, and fits 80 columns', () => {
    const results = [way('grpc', recordOf(500, 20)), way('direct', recordOf(1000, 10))];
    const lines = benchLines(resultOf(results, { compare: 'grpc,direct' }), noPaint);
    expect(lines[0]).toBe('Comparison with direct');
    expect(lines[2]).toMatch(/^ {2}grpc +500 +0\.50x +20ms +2\.00x/);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('says when the generator was the limit, and only then', () => {
    const text = (cores: number) => benchLines(resultOf([way('hybrid', recordOf(9, 1), cores)]), noPaint).join('\n');
    expect(text(0.97)).toContain('the generator used up its core');
    expect(text(0.6)).not.toContain('the generator used up its core');
  });

  it('shows each verdict with what was seen', () => {
    const result = resultOf([way('hybrid', recordOf(9, 1))]);
    const verdict = { assertion: 'p99<1us', holds: false, way: undefined, seen: 1, wanted: 0.001, seenText: '1ms' };
    expect(benchLines({ ...result, verdicts: [verdict] }, noPaint).at(-1)).toBe('FAILED  p99<1us (seen 1ms)');
  });
});

describe('benchDocument()', () => {
  it('S7 names headers without their values', () => {
    const text = JSON.stringify(benchDocument(resultOf([way('hybrid', recordOf(9, 1))])));
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
