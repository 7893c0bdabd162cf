import { describe, expect, it } from 'vitest';
import { logExport, logLines } from '../../../src/plugins/metrics/log.ts';
import { prometheusText } from '../../../src/plugins/metrics/prometheus.ts';
import { recordingLogger } from '../../support/world.ts';
import { edgeSnapshot, mebibyte, oddSnapshot } from './snapshot.ts';

describe('the exporter log', () => {
  it('O2 writes the lines of an edge in their exact form', () => {
    expect(logLines(edgeSnapshot(), 0.3 * mebibyte)).toEqual([
      '[HYBRID METRICS] Total: 1000, gRPC: 950 (95.0%), TCP: 50 (5.0%), WebSocket: 45, Errors: 0',
      '[gRPC METRICS] Active Streams: 1, Total Requests: 950, Concurrent: 45, Responses: 950, Errors: 0',
      '[MEMORY] Total: 25.3MB, Per-Conn: ~0.5MB, Projected-50: 25.0MB, Projected-100: 50.0MB',
    ]);
  });

  it('O2 writes one line per endpoint of an agent', () => {
    const counter = (name: string, value: number) =>
      ({
        kind: 'counter',
        name: `giraffe_agent_${name}_total`,
        help: '',
        unit: '',
        samples: [
          { labels: { endpoint: 'example.com' }, value },
          { labels: { endpoint: 'b.test' }, value: 0 },
        ],
      }) as const;
    const metrics = [
      counter('requests', 500),
      counter('responses', 500),
      counter('errors', 0),
      counter('reconnects', 2),
    ];
    expect(logLines({ ...edgeSnapshot(), role: 'agent', metrics }, 0)).toEqual([
      '[gRPC CLIENT] Domain: example.com, Requests: 500, Responses: 500, Errors: 0, Reconnects: 2',
      '[gRPC CLIENT] Domain: b.test, Requests: 0, Responses: 0, Errors: 0, Reconnects: 0',
    ]);
  });

  it('O2 divides by nothing when nothing has happened', () => {
    const lines = logLines({ ...edgeSnapshot(), metrics: [] }, 0);
    expect(lines).toEqual([
      '[HYBRID METRICS] Total: 0, gRPC: 0 (0.0%), TCP: 0 (0.0%), WebSocket: 0, Errors: 0',
      '[gRPC METRICS] Active Streams: 0, Total Requests: 0, Concurrent: 0, Responses: 0, Errors: 0',
      '[MEMORY] Total: 0.0MB, Per-Conn: ~0.0MB, Projected-50: 0.0MB, Projected-100: 0.0MB',
    ]);
  });

  it('O2 logs each line as the whole message of an entry', async () => {
    const { logger, lines } = recordingLogger();
    await logExport({ logger, baselineBytes: 0 })(edgeSnapshot(), new AbortController().signal);
    expect(lines.map(({ level, message }) => [level, message.slice(0, 8)])).toEqual([
      ['info', '[HYBRID '],
      ['info', '[gRPC ME'],
      ['info', '[MEMORY]'],
    ]);
  });
});

describe('the exporter log at an agent', () => {
  it('O2 is seen at the usual level of its log', async () => {
    const { logger, lines } = recordingLogger();
    const sample = { labels: { endpoint: 'a.test' }, value: 1 };
    const metrics = [
      { kind: 'counter', name: 'giraffe_agent_requests_total', help: '', unit: '', samples: [sample] } as const,
    ];
    const snapshot = { ...edgeSnapshot(), role: 'agent', metrics } as const;
    await logExport({ logger, baselineBytes: 0 })(snapshot, new AbortController().signal);
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
  });
});

describe('the exporter prometheus', () => {
  it('O2 renders counters, gauges and histograms in the text format', () => {
    expect(prometheusText(oddSnapshot)).toBe(
      [
        '# HELP a_total back\\\\slash\\nnew line',
        '# TYPE a_total counter',
        'a_total{code="quo\\"te\\\\\\n"} 3',
        'a_total{code="plain"} 1.5',
        '# HELP g Gauge.',
        '# TYPE g gauge',
        'g 2',
        '# HELP empty_total Nothing yet.',
        '# TYPE empty_total counter',
        '# HELP h_seconds Histogram.',
        '# TYPE h_seconds histogram',
        'h_seconds_bucket{transport="grpc",le="0.1"} 2',
        'h_seconds_bucket{transport="grpc",le="1"} 5',
        'h_seconds_bucket{transport="grpc",le="+Inf"} 6',
        'h_seconds_sum{transport="grpc"} 4.25',
        'h_seconds_count{transport="grpc"} 6',
        '# HELP giraffe_start_time_seconds When counting began, in seconds since 1970.',
        '# TYPE giraffe_start_time_seconds gauge',
        'giraffe_start_time_seconds 1700000000',
        '',
      ].join('\n'),
    );
  });
});
