/** Finds figures in a snapshot. */
import type { Labels, MetricsSnapshot } from '../../extension/index.ts';

/**
 * Returns the sum of a counter's or gauge's samples; 0 when there is none.
 *
 * @param wanted Labels that a sample must have; others do not matter.
 */
export function sumOf({ metrics }: MetricsSnapshot, name: string, wanted: Labels = {}): number {
  let sum = 0;
  for (const metric of metrics) {
    if (metric.name !== name || metric.kind === 'histogram') continue;
    for (const { labels, value } of metric.samples) if (hasLabels(labels, wanted)) sum += value;
  }
  return sum;
}

/** Returns the values that a label has in a metric, each once, in the order of the samples. */
export function labelValues({ metrics }: MetricsSnapshot, name: string, label: string): string[] {
  const samples = metrics.filter((metric) => metric.name === name).flatMap((metric) => [...metric.samples]);
  return [...new Set(samples.flatMap(({ labels }) => labels[label] ?? []))];
}

function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
