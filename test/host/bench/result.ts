/** Results of benches as tests make them. */
import { benchSettings } from '../../../src/config/bench-settings.ts';
import { type FlagValues, resolveSettings } from '../../../src/config/setting.ts';
import { benchPlan } from '../../../src/host/bench/bench-plan.ts';
import type { BenchResult } from '../../../src/host/bench/bench-result.ts';
import type { WayResult } from '../../../src/host/bench/measure-ways.ts';
import { loadFigures } from '../../../src/load/load-figures.ts';
import { LoadRecord } from '../../../src/load/load-record.ts';

/** A second in which so many requests went well after this time, and so many were refused with 429. */
export function recordOf(succeeded: number, latencyMs: number, failed = 0): LoadRecord {
  const record = new LoadRecord();
  record.begin(0);
  for (let count = 0; count < succeeded; count += 1) record.succeed((count * 1000) / succeeded, latencyMs, 200);
  for (let count = 0; count < failed; count += 1) record.fail(999, 'status-429', 429);
  record.end(1000);
  return record;
}

/** The result of one way. @param cores What the generator used. */
export function wayOf(name: string, record: LoadRecord, cores = 0.2): WayResult {
  return {
    name,
    figures: loadFigures(record),
    percentileMs: (place) => record.latencies.percentileMs(place),
    extra: {},
    generator: { cpuMicrosPerRequest: 20, cores, busyShare: cores },
    processes: [{ name: 'edge', cpuMicrosPerRequest: 48.4, memoryBytes: 120e6 }],
  };
}

/** A whole result. */
export function resultOf(results: readonly WayResult[], flags: FlagValues = {}, url?: string): BenchResult {
  return {
    plan: benchPlan(url, resolveSettings(benchSettings, flags, {}), [['Authorization', 'Bearer hunter2']]),
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
