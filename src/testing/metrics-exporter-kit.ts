/** What every metrics exporter must keep. */
import assert from 'node:assert/strict';
import type { Metric, MetricsExporter, MetricsSnapshot } from '../extension/index.ts';
import { type ConformanceCheck, frozen, withInstance } from './conformance.ts';

const odd = { domain: 'a"b\\c\nd', code: '' };
const metrics: readonly Metric[] = [
  { kind: 'counter', name: 'kit_requests_total', help: 'Requests.', unit: '', samples: [{ labels: odd, value: 3 }] },
  {
    kind: 'gauge',
    name: 'kit_memory_bytes',
    help: 'A "help"\nof two lines.',
    unit: 'bytes',
    samples: [{ labels: {}, value: -0.5 }],
  },
  {
    kind: 'histogram',
    name: 'kit_duration_seconds',
    help: 'Durations.',
    unit: 'seconds',
    bounds: [0.1, 1],
    samples: [{ labels: {}, counts: [1, 0, 2], sum: 7.5, count: 3 }],
  },
  { kind: 'counter', name: 'kit_unused_total', help: 'Nothing yet.', unit: '', samples: [] },
];

function snapshot(of: readonly Metric[]): MetricsSnapshot {
  return frozen({ role: 'edge', takenAt: new Date(60_000), startedAt: new Date(0), metrics: of });
}

/** Longest delay that a timer keeps, in milliseconds. */
const maxTimerMs = 2 ** 31 - 1;

/** Returns the checks for an exporter. @param make Makes an instance, with options of your choice. */
export function metricsExporterKit(
  make: () => Promise<MetricsExporter & Partial<AsyncDisposable>>,
): readonly ConformanceCheck[] {
  return [
    {
      name: 'says how it is to be asked',
      run: () =>
        withInstance(make, (exporter) => {
          if (exporter.mode === 'pull') assert.match(exporter.contentType, /^[a-z]+\/[a-z0-9.+-]+/i);
          else assert(exporter.intervalMs > 0 && exporter.intervalMs <= maxTimerMs, `${exporter.intervalMs} ms`);
        }),
    },
    {
      name: 'renders the same text for the same figures, and changes none, if it is pulled',
      run: () =>
        withInstance(make, (exporter) => {
          if (exporter.mode !== 'pull') return;
          assert.equal(typeof exporter.render(snapshot([])), 'string');
          assert.equal(exporter.render(snapshot(metrics)), exporter.render(snapshot(metrics)));
        }),
    },
    {
      name: 'settles when its time is over, if it pushes',
      run: () =>
        withInstance(make, async (exporter) => {
          if (exporter.mode !== 'push') return;
          // A rejection is fine: it is logged, and the next interval tries again.
          await Promise.allSettled([exporter.export(snapshot(metrics), AbortSignal.abort())]);
        }),
    },
  ];
}
