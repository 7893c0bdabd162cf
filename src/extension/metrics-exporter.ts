/**
 * The contract of metrics exporters, and the figures they get.
 *
 * The host owns timers, time-outs and HTTP servers; an exporter only renders or sends.
 */

/** Kinds of instrument. A gauge can fall; a counter cannot; a histogram counts observations in buckets. */
export type Metric = CounterMetric | GaugeMetric | HistogramMetric;

interface MetricBase {
  /** Prometheus style, base units: `giraffe_requests_total`, `giraffe_request_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  /** `bytes`, `seconds`, or empty for a plain number. */
  readonly unit: 'bytes' | 'seconds' | '';
}

/** Label values are from small, closed sets: never a path, an address or a token. */
export type Labels = Readonly<Record<string, string>>;

/** A sum that only grows. */
export interface CounterMetric extends MetricBase {
  readonly kind: 'counter';
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

/** A value of the moment. */
export interface GaugeMetric extends MetricBase {
  readonly kind: 'gauge';
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

/**
 * A distribution. `counts[i]` is the number of observations above `bounds[i - 1]` and up to `bounds[i]`, so that their
 * sum is `count`; the last one, beyond all bounds, has no upper bound.
 */
export interface HistogramMetric extends MetricBase {
  readonly kind: 'histogram';
  readonly bounds: readonly number[];
  readonly samples: readonly {
    readonly labels: Labels;
    readonly counts: readonly number[];
    readonly sum: number;
    readonly count: number;
  }[];
}

/** All figures of one moment. */
export interface MetricsSnapshot {
  /** Which program they are of. */
  readonly role: 'edge' | 'agent';
  readonly takenAt: Date;
  /** When counting began. */
  readonly startedAt: Date;
  readonly metrics: readonly Metric[];
}

/** Turns snapshots into text on request (`pull`), or sends them somewhere at an interval (`push`). */
export type MetricsExporter =
  | { readonly mode: 'pull'; readonly contentType: string; render(snapshot: MetricsSnapshot): string }
  | {
      readonly mode: 'push';
      /** Time between exports, in milliseconds. */
      readonly intervalMs: number;
      /** A throw is logged with the exporter's name; the next interval tries again. Never called before the last call ended. */
      export(snapshot: MetricsSnapshot, signal: AbortSignal): Promise<void>;
    };
