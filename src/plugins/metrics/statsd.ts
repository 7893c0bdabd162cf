/**
 * Sends figures to a StatsD server over UDP.
 *
 * StatsD adds up what it gets, so counters are sent as what came since the last export; nothing is sent for one that did
 * not move. Of a histogram, the count and the sum are sent. Label values are parts of the name, or DogStatsD tags; gauges
 * that have the same name then, as those of `a.b` and `a_b`, are added up, since the last one would overwrite the others.
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import * as z from 'zod';
import type { GaugeMetric, Labels, Metric, MetricsSnapshot } from '../../extension/index.ts';
import { definePushExporter, type Export, intervalOption } from './push-exporter.ts';

const optionsSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Host of the server.'),
  port: z.int().min(1).max(65_535).default(8125).describe('UDP port of the server.'),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_.-]*$/, 'has only letters, digits, _, . and -')
    .default('')
    .describe('Put before every name.'),
  tags: z
    .enum(['none', 'dogstatsd'])
    .default('none')
    .describe('`none` puts label values into the name, `dogstatsd` sends labels as tags.'),
  maxDatagramBytes: z
    .int()
    .min(512)
    .max(65_507)
    .default(1432)
    .describe('Largest datagram in bytes (default 1432, which fits every Ethernet).'),
  interval: intervalOption('10s'),
});

/** Options of the exporter, defaults filled in. */
type StatsdOptions = z.output<typeof optionsSchema>;

/** A line, and what makes it true: the value that the server knows once it has the line. */
interface Line {
  readonly text: string;
  readonly series: string;
  readonly value: number;
}

/** Returns the lines of a snapshot. @param known Values of counters that the server has, by series. */
function linesOf(snapshot: MetricsSnapshot, options: StatsdOptions, known: ReadonlyMap<string, number>): Line[] {
  const lines: Line[] = [];
  for (const metric of snapshot.metrics) {
    if (metric.kind === 'gauge') {
      lines.push(...gaugeLines(metric, options));
      continue;
    }
    for (const { name, labels, value } of valuesOf(metric)) {
      const series = seriesText(options, name, labels);
      const key = `${series} ${JSON.stringify(labels)}`;
      const delta = value - (known.get(key) ?? 0);
      if (delta === 0) continue;
      lines.push({ text: withTags(options, series, `${plain(delta)}|c`, labels), series: key, value });
    }
  }
  return lines;
}

function gaugeLines({ name, samples }: GaugeMetric, options: StatsdOptions): Line[] {
  const lines = new Map<string, Line>();
  for (const { labels, value } of samples) {
    const series = seriesText(options, name, labels);
    const key = withTags(options, series, '', labels);
    const sum = value + (lines.get(key)?.value ?? 0);
    lines.set(key, { text: withTags(options, series, `${plain(sum)}|g`, labels), series, value: sum });
  }
  return [...lines.values()];
}

function* valuesOf(metric: Metric): Generator<{ name: string; labels: Labels; value: number }> {
  if (metric.kind !== 'histogram') {
    for (const { labels, value } of metric.samples) yield { name: metric.name, labels, value };
    return;
  }
  for (const { labels, count, sum } of metric.samples) {
    yield { name: `${metric.name}.count`, labels, value: count };
    yield { name: `${metric.name}.sum`, labels, value: sum };
  }
}

function seriesText({ prefix, tags }: StatsdOptions, name: string, labels: Labels): string {
  const parts = tags === 'none' ? Object.values(labels).map(safe) : [];
  return [`${prefix}${name}`, ...parts].join('.');
}

function withTags({ tags }: StatsdOptions, series: string, value: string, labels: Labels): string {
  const pairs = tags === 'none' ? [] : Object.entries(labels).map(([name, text]) => `${name}:${safe(text)}`);
  return `${series}:${value}${pairs.length === 0 ? '' : `|#${pairs.join(',')}`}`;
}

/** Without what means something to a server. */
function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_');
}

/** A number without an exponent, which not every server reads. */
function plain(value: number): string {
  return Number.isInteger(value) ? value.toFixed(0) : value.toFixed(6).replace(/\.?0+$/, '');
}

/** Puts as many lines into a datagram as fit; a line that fits into none is left out. */
function datagramsOf(lines: readonly Line[], maxBytes: number): Line[][] {
  const datagrams: Line[][] = [];
  let bytes = maxBytes;
  for (const line of lines) {
    const length = Buffer.byteLength(line.text) + 1;
    if (length > maxBytes) continue;
    if (bytes + length > maxBytes) {
      datagrams.push([]);
      bytes = 0;
    }
    datagrams.at(-1)?.push(line);
    bytes += length;
  }
  return datagrams;
}

/** Returns what sends. */
function statsdExport(options: StatsdOptions): Export {
  const known = new Map<string, number>();
  return async (snapshot, signal) => {
    const { address, family } = await lookup(options.host);
    signal.throwIfAborted();
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      for (const datagram of datagramsOf(linesOf(snapshot, options, known), options.maxDatagramBytes)) {
        signal.throwIfAborted();
        await send(socket, datagram.map(({ text }) => `${text}\n`).join(''), options.port, address);
        for (const { series, value } of datagram) known.set(series, value);
      }
    } finally {
      socket.close();
    }
  };
}

function send(socket: Socket, text: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.send(text, port, address, (error) => {
      socket.off('error', reject);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

/** The exporter as an extension. */
export const statsd = definePushExporter({
  name: 'statsd',
  summary: 'To a StatsD server over UDP, plain or with DogStatsD tags.',
  options: optionsSchema,
  start: statsdExport,
});
