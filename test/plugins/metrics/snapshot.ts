/** Snapshots for the tests of exporters. */
import type { MetricsSnapshot } from '../../../src/extension/index.ts';

/** An edge after 1,000 requests: 950 over gRPC, 50 over TCP, 45 of them WebSockets. */
export function edgeSnapshot(requests = 1000): MetricsSnapshot {
  const one = (name: string, value: number) =>
    ({ kind: 'counter', name, help: '', unit: '', samples: [{ labels: {}, value }] }) as const;
  const by = (kind: 'counter' | 'gauge', name: string, label: string, values: Record<string, number>) =>
    ({
      kind,
      name,
      help: '',
      unit: '',
      samples: Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value })),
    }) as const;
  return {
    role: 'edge',
    startedAt: new Date(1_700_000_000_000),
    takenAt: new Date(1_700_000_060_000),
    metrics: [
      one('giraffe_requests_total', requests),
      by('counter', 'giraffe_responses_total', 'transport', { grpc: requests - 50, tcp: 50, none: 0 }),
      by('counter', 'giraffe_upgrade_requests_total', 'protocol', { websocket: 45, other: 1 }),
      by('gauge', 'giraffe_carriers', 'transport', { grpc: 1, tcp: 1 }),
      by('gauge', 'giraffe_streams', 'transport', { grpc: 45, tcp: 3 }),
      by('gauge', 'giraffe_memory_bytes', 'kind', { heap: 20 * mebibyte, external: 5.3 * mebibyte }),
      by('gauge', 'giraffe_client_connections', 'kind', { all: 50 }),
    ],
  };
}

/** Octets. */
export const mebibyte = 1024 * 1024;

/** Every kind of metric, with everything that has to be escaped. */
export const oddSnapshot: MetricsSnapshot = {
  role: 'edge',
  startedAt: new Date(1_700_000_000_000),
  takenAt: new Date(1_700_000_060_500),
  metrics: [
    {
      kind: 'counter',
      name: 'a_total',
      help: 'back\\slash\nnew line',
      unit: 'bytes',
      samples: [
        { labels: { code: 'quo"te\\\n' }, value: 3 },
        { labels: { code: 'plain' }, value: 1.5 },
      ],
    },
    { kind: 'gauge', name: 'g', help: 'Gauge.', unit: '', samples: [{ labels: {}, value: 2 }] },
    { kind: 'counter', name: 'empty_total', help: 'Nothing yet.', unit: '', samples: [] },
    {
      kind: 'histogram',
      name: 'h_seconds',
      help: 'Histogram.',
      unit: 'seconds',
      bounds: [0.1, 1],
      samples: [{ labels: { transport: 'grpc' }, counts: [2, 3, 1], sum: 4.25, count: 6 }],
    },
  ],
};
