/** The metrics that an assertion can name, their units, and how they are read. What each means stands in docs/bench.md. Pure. */
import { type FailureKind, failureKinds } from './failure-kind.ts';
import { failedShare, type LoadFigures } from './load-figures.ts';
import type { QuantityKind } from './quantity.ts';

/** What metrics are read from. */
export interface MetricSource {
  readonly figures: LoadFigures;
  /** Milliseconds; undefined when nothing succeeded. */
  percentileMs(percentile: number): number | undefined;
  /** What a scenario measured besides, by the names of {@link scenarioMetrics}. */
  readonly extra: Readonly<Record<string, number>>;
}

/** One metric. */
export interface Metric {
  readonly name: string;
  /** What it is measured in; where there are two, the unit of the assertion decides. */
  readonly kinds: readonly QuantityKind[];
  /** Undefined when there is nothing to tell: no assertion about it holds. */
  read(source: MetricSource, kind: QuantityKind): number | undefined;
}

type Read = Metric['read'];

const plain: Readonly<Record<string, { readonly kinds: readonly QuantityKind[]; readonly read: Read }>> = {
  requests: { kinds: ['count'], read: ({ figures }) => figures.requests },
  succeeded: { kinds: ['count'], read: ({ figures }) => figures.succeeded },
  failed: {
    kinds: ['count', 'share'],
    read: ({ figures }, kind) => (kind === 'share' ? failedShare(figures) : figures.failed),
  },
  rps: {
    kinds: ['rate'],
    read: ({ figures }) => figures.requestsPerSecond,
  },
  avg: { kinds: ['time'], read: ({ figures }) => figures.latencyMs?.avg },
  min: { kinds: ['time'], read: ({ figures }) => figures.latencyMs?.min },
  max: { kinds: ['time'], read: ({ figures }) => figures.latencyMs?.max },
  stddev: {
    kinds: ['time'],
    read: ({ figures }) => figures.latencyMs?.stddev,
  },
  received: { kinds: ['bytes'], read: ({ figures }) => figures.bytes.received },
  sent: { kinds: ['bytes'], read: ({ figures }) => figures.bytes.sent },
  download: {
    kinds: ['byte-rate'],
    read: ({ figures }) => figures.bytesPerSecond.received,
  },
  upload: {
    kinds: ['byte-rate'],
    read: ({ figures }) => figures.bytesPerSecond.sent,
  },
};

/** Metrics that only some scenarios have. */
const scenarioMetrics = {
  ratio: {
    scenario: 'head-of-line',
    kinds: ['ratio'],
  },
  outage: { scenario: 'reconnect', kinds: ['time'] },
  'websocket-memory': {
    scenario: 'many-idle',
    kinds: ['bytes'],
  },
  'tunnel-memory': { scenario: 'many-idle', kinds: ['bytes'] },
} as const satisfies Readonly<Record<string, { readonly scenario: string; readonly kinds: readonly QuantityKind[] }>>;

/** Returns the metric of a name; undefined when there is none. @param scenario The one that runs, if any. */
export function metricOf(name: string, scenario: string | undefined): Metric | undefined {
  const known = Object.hasOwn(plain, name) ? plain[name] : undefined;
  if (known !== undefined) return { name, ...known };
  return percentile(name) ?? statusCount(name) ?? errorCount(name) ?? extraMetric(name, scenario);
}

/** Names without placeholders, for suggestions. */
export function metricNames(scenario: string | undefined): string[] {
  const extra = Object.entries(scenarioMetrics).filter(([, metric]) => metric.scenario === scenario);
  return [...Object.keys(plain), 'p50', 'p90', 'p95', 'p99', 'p99.9', ...extra.map(([name]) => name)];
}

function percentile(name: string): Metric | undefined {
  const match = /^p([0-9]{1,2}(?:\.[0-9]{1,4})?)$/.exec(name);
  const place = Number(match?.[1] ?? 0);
  if (match === null || place === 0) return undefined;
  return { name, kinds: ['time'], read: (source) => source.percentileMs(place) };
}

function statusCount(name: string): Metric | undefined {
  const match = /^status\.([1-5])(xx|[0-9]{2})$/.exec(name);
  if (match === null) return undefined;
  const [, first = '', rest = ''] = match;
  const counts = (status: string): boolean => (rest === 'xx' ? status.startsWith(first) : status === first + rest);
  return {
    name,
    kinds: ['count'],
    read: ({ figures }) =>
      Object.entries(figures.statuses).reduce((sum, [status, count]) => sum + (counts(status) ? count : 0), 0),
  };
}

function errorCount(name: string): Metric | undefined {
  const kind = /^errors\.(.+)$/.exec(name)?.[1] ?? '';
  if (!Object.hasOwn(failureKinds, kind) && !/^status-[45][0-9]{2}$/.test(kind)) return undefined;
  return { name, kinds: ['count'], read: ({ figures }) => figures.errors[kind as FailureKind] ?? 0 };
}

function extraMetric(name: string, scenario: string | undefined): Metric | undefined {
  if (!Object.hasOwn(scenarioMetrics, name)) return undefined;
  const metric = scenarioMetrics[name as keyof typeof scenarioMetrics];
  if (metric.scenario !== scenario) return undefined;
  return { name, kinds: metric.kinds, read: ({ extra }) => extra[name] };
}
