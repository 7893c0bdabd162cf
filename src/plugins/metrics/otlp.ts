/**
 * Sends figures to an OpenTelemetry collector: OTLP over HTTP as JSON, which needs no library.
 *
 * All sums are cumulative, so that an export that was lost is made up for by the next one.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Labels, Metric, MetricsSnapshot } from '../../extension/index.ts';
import { definePushExporter, type Export, intervalOption } from './push-exporter.ts';

const optionsSchema = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/, error: 'is not an http:// or https:// URL' })
    .default('http://127.0.0.1:4318')
    .describe('Base URL of the collector; /v1/metrics is added to it.'),
  headers: z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string().regex(/^[\t\x20-\x7e]*$/))
    .default({})
    .meta({ secret: true })
    .describe('Fields of each request, such as Authorization.'),
  serviceName: z.string().min(1).default('giraffe').describe('The resource attribute service.name.'),
  interval: intervalOption('1m'),
});

/** Options, defaults filled in. */
type OtlpOptions = z.output<typeof optionsSchema>;

/** Cumulative, from OTLP's enum AggregationTemporality. */
const cumulative = 2;
const unitNames: Readonly<Record<Metric['unit'], string>> = { bytes: 'By', seconds: 's', '': '1' };

/** What tells this process from others of the same service. */
export interface OtlpResource {
  readonly serviceName: string;
  readonly instanceId: string;
}

/** Returns a snapshot as ExportMetricsServiceRequest in the JSON encoding of OTLP. Metrics without samples are left out. */
function otlpRequest(snapshot: MetricsSnapshot, { serviceName, instanceId }: OtlpResource): object {
  const times = { startTimeUnixNano: nanoseconds(snapshot.startedAt), timeUnixNano: nanoseconds(snapshot.takenAt) };
  const resource = {
    'service.name': serviceName,
    'service.instance.id': instanceId,
    'giraffe.role': snapshot.role,
  };
  const metrics = snapshot.metrics
    .filter(({ samples }) => samples.length > 0)
    .map((metric) => ({
      name: metric.name,
      description: metric.help,
      unit: unitNames[metric.unit],
      ...dataOf(metric, times),
    }));
  return {
    resourceMetrics: [
      { resource: { attributes: attributes(resource) }, scopeMetrics: [{ scope: { name: 'giraffe' }, metrics }] },
    ],
  };
}

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

function dataOf(metric: Metric, times: Times): object {
  if (metric.kind === 'histogram') return { histogram: histogramOf(metric, times) };
  const dataPoints = metric.samples.map(({ labels, value }) => ({
    attributes: attributes(labels),
    ...times,
    // 64-bit integers are texts in protobuf's JSON.
    ...(Number.isSafeInteger(value) ? { asInt: String(value) } : { asDouble: value }),
  }));
  if (metric.kind === 'gauge') return { gauge: { dataPoints } };
  return { sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true } };
}

function histogramOf({ samples, bounds }: Extract<Metric, { kind: 'histogram' }>, times: Times): object {
  return {
    aggregationTemporality: cumulative,
    dataPoints: samples.map(({ labels, counts, sum, count }) => ({
      attributes: attributes(labels),
      ...times,
      count: String(count),
      sum,
      bucketCounts: counts.map(String),
      explicitBounds: bounds,
    })),
  };
}

function attributes(values: Labels): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

function nanoseconds(at: Date): string {
  return `${at.getTime()}000000`;
}

/** Returns what sends. @param instanceId Tells this process from others. */
function otlpExport({ serviceName, endpoint, headers }: OtlpOptions, instanceId: string): Export {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/metrics`;
  return async (snapshot, signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(otlpRequest(snapshot, { serviceName, instanceId })),
      // Fields with credentials go nowhere else.
      redirect: 'error',
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the collector answered with status ${response.status}`);
  };
}

/** The exporter as an extension. */
export const otlp = definePushExporter({
  name: 'otlp',
  summary: 'To an OpenTelemetry collector (OTLP over HTTP, JSON).',
  options: optionsSchema,
  start: (options) => otlpExport(options, randomUUID()),
});
