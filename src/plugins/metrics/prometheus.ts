/**
 * Renders figures in Prometheus's text format 0.0.4. The management API serves it at GET /metrics to whoever has the
 * admin token (`authorization: { credentials_file: … }` in a scrape configuration).
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import * as z from 'zod';
import {
  defineExtension,
  extensionApiVersion,
  type HistogramMetric,
  type Labels,
  type Metric,
  type MetricsSnapshot,
} from '../../extension/index.ts';

/** Returns the text of a snapshot. A metric without samples has only its description. */
export function prometheusText({ metrics, startedAt }: MetricsSnapshot): string {
  const start: Metric = {
    kind: 'gauge',
    name: 'giraffe_start_time_seconds',
    help: 'When counting began, in seconds since 1970.',
    unit: 'seconds',
    samples: [{ labels: {}, value: startedAt.getTime() / 1000 }],
  };
  return [...metrics, start].map((metric) => `${[...metricLines(metric)].join('\n')}\n`).join('');
}

function* metricLines(metric: Metric): Generator<string> {
  yield `# HELP ${metric.name} ${metric.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`;
  yield `# TYPE ${metric.name} ${metric.kind}`;
  if (metric.kind === 'histogram') yield* histogramLines(metric);
  else for (const { labels, value } of metric.samples) yield `${metric.name}${labelText(labels)} ${number(value)}`;
}

function* histogramLines({ name, bounds, samples }: HistogramMetric): Generator<string> {
  for (const { labels, counts, sum, count } of samples) {
    let below = 0;
    for (const [index, bound] of bounds.entries()) {
      below += counts[index] ?? 0;
      yield `${name}_bucket${labelText({ ...labels, le: number(bound) })} ${below}`;
    }
    yield `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`;
    yield `${name}_sum${labelText(labels)} ${number(sum)}`;
    yield `${name}_count${labelText(labels)} ${count}`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** The exporter as an extension. */
export const prometheus = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'metrics-exporter',
  name: 'prometheus',
  summary: 'Prometheus text at GET /metrics of the management API, with the admin token.',
  options: z.strictObject({}),
  create: async () => ({
    mode: 'pull',
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    render: prometheusText,
  }),
});
