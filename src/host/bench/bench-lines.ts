/** The lines that a bench prints for people. Pure; at most 80 columns wide. */
import { failureKinds } from '../../load/failure-kind.ts';
import { generatorLimit } from '../../load/generator-limit.ts';
import { failedShare, type LoadFigures, shownPercentiles } from '../../load/load-figures.ts';
import {
  bytesText,
  countText,
  millisecondsText,
  percentText,
  rateNumber,
  ratioText,
  timeText,
} from '../../load/quantity.ts';
import { tableLines } from '../terminal/text-table.ts';
import type { BenchResult } from './bench-result.ts';
import type { Calibration } from './calibration.ts';
import type { GeneratorCost, WayResult } from './measure-ways.ts';

/** How parts of a line are marked on a terminal. */
export interface Paint {
  strong(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** No marks at all. */
export const noPaint: Paint = {
  strong: (text) => text,
  good: (text) => text,
  bad: (text) => text,
};

/** Returns all lines of a result. */
export function benchLines(result: BenchResult, paint: Paint): string[] {
  const { results, scenario, verdicts, calibration } = result;
  const blocks = [
    ...(scenario === undefined ? [] : [[paint.strong(scenario.title), ...rowLines(scenario.rows)]]),
    ...(1 < results.length && scenario === undefined ? [comparisonLines(results, paint)] : []),
    ...results.map((way) => wayLines(way, 1 < results.length, paint)),
    generatorLines(results, calibration, paint),
    verdicts.map((verdict) => verdictLine(verdict, paint)),
  ];
  return blocks.filter((block) => 0 < block.length).flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

/** The line that scripts look for: `Requests: 1000, Failed: 0 (0%), Avg Latency: 12ms`. */
export function summaryLine(figures: LoadFigures): string {
  const { requests, failed, latencyMs } = figures;
  const average = latencyMs === undefined ? '-' : millisecondsText(latencyMs.avg);
  return `Requests: ${requests}, Failed: ${failed} (${percentText(failedShare(figures))}), Avg Latency: ${average}`;
}

function wayLines({ name, figures, processes }: WayResult, isNamed: boolean, paint: Paint): string[] {
  const summary = summaryLine(figures);
  return [
    ...(isNamed ? [paint.strong(name)] : []),
    figures.failed === 0 ? summary : paint.bad(summary),
    ...latencyLines(figures),
    ...rowLines(detailRows(figures)),
    ...rowLines(costRows(processes)),
  ];
}

function latencyLines({ latencyMs }: LoadFigures): string[] {
  if (latencyMs === undefined) return [];
  const cells = shownPercentiles.map(([label, key]) => [label, timeText(latencyMs[key])] as const);
  const widths = cells.map(([label, value]) => Math.max(label.length, value.length, 6));
  const line = (pick: 0 | 1): string => cells.map((cell, index) => cell[pick].padStart(widths[index] ?? 0)).join('  ');
  return [`  ${'Latency'.padEnd(labelWidth)}${line(0)}`, `  ${' '.repeat(labelWidth)}${line(1)}`];
}

/** Width of the labels in front of values. */
const labelWidth = 14;

type Row = { readonly label: string; readonly value: string; readonly note?: string };

function rowLines(rows: readonly Row[]): string[] {
  const width = Math.max(labelWidth, ...rows.map(({ label }) => label.length + 2));
  return rows.map(({ label, value, note }) => {
    const line = `  ${label.padEnd(width)}${value}`;
    return note === undefined ? line : `${line}  (${note})`;
  });
}

function detailRows(figures: LoadFigures): Row[] {
  const { bytes, bytesPerSecond, statuses, errors, sendLagMs, rounds } = figures;
  const spread = `rounds ${rateNumber(Math.min(...rounds))} to ${rateNumber(Math.max(...rounds))}`;
  const rows: Row[] = [
    {
      label: 'Throughput',
      value: `${rateNumber(figures.requestsPerSecond)} req/s over ${figures.seconds.toFixed(1)}s`,
      ...(rounds.length < 2 ? {} : { note: spread }),
    },
  ];
  if (0 < bytes.received + bytes.sent) {
    const text = (direction: 'received' | 'sent'): string =>
      `${bytesText(bytes[direction])} (${bytesText(bytesPerSecond[direction])}/s)`;
    rows.push({ label: 'Transferred', value: `${text('received')} in, ${text('sent')} out` });
  }
  if (0 < Object.keys(statuses).length) rows.push({ label: 'Statuses', value: statusText(statuses) });
  if (sendLagMs !== undefined) {
    rows.push({
      label: 'Began late by',
      value: `${timeText(sendLagMs.avg)} on average, ${timeText(sendLagMs.max)} at most`,
    });
  }
  return [...rows, ...errorRows(errors)];
}

function statusText(statuses: LoadFigures['statuses']): string {
  const classes = new Map<string, number>();
  for (const [status, count] of Object.entries(statuses)) {
    const group = `${status[0]}xx`;
    classes.set(group, (classes.get(group) ?? 0) + count);
  }
  return [...classes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, count]) => `${group} ${countText(count)}`)
    .join(', ');
}

const tooMany = 'status-429';

function errorRows(errors: LoadFigures['errors']): Row[] {
  return Object.entries(errors).map(([kind, count], index) => {
    const meaning = Object.hasOwn(failureKinds, kind) ? failureKinds[kind as keyof typeof failureKinds] : undefined;
    const hint = kind === tooMany ? 'rate limit; GRPC_RATE_LIMIT_RPM=0 lifts it' : meaning;
    return {
      label: index === 0 ? 'Errors' : '',
      value: `${kind} ${countText(count)}`,
      ...(hint === undefined ? {} : { note: hint }),
    };
  });
}

function costRows(processes: WayResult['processes']): Row[] {
  if (processes.length === 0) return [];
  const costs = processes.map(
    ({ name, cpuMicrosPerRequest, memoryBytes }) =>
      `${name} ${Math.round(cpuMicrosPerRequest)} µs/request, ${bytesText(memoryBytes)}`,
  );
  return [{ label: 'Cost', value: costs.join('; ') }];
}

function comparisonLines(results: readonly WayResult[], paint: Paint): string[] {
  const base = results.find(({ name }) => name === 'direct') ?? results[0];
  const relative = (value: number | undefined, reference: number | undefined): string =>
    value === undefined || reference === undefined || reference === 0 ? '-' : ratioText(value / reference);
  const head = ['way', 'req/s', 'vs.', 'p50', 'vs.', 'p99', 'vs.', 'failed', 'CPU µs/req'];
  const rows = results.map(({ name, figures: { requestsPerSecond, latencyMs, failed }, processes }) => [
    name,
    rateNumber(requestsPerSecond),
    relative(requestsPerSecond, base?.figures.requestsPerSecond),
    latencyMs === undefined ? '-' : timeText(latencyMs.p50),
    relative(latencyMs?.p50, base?.figures.latencyMs?.p50),
    latencyMs === undefined ? '-' : timeText(latencyMs.p99),
    relative(latencyMs?.p99, base?.figures.latencyMs?.p99),
    countText(failed),
    processes.map(({ cpuMicrosPerRequest }) => Math.round(cpuMicrosPerRequest)).join(' + ') || '-',
  ]);
  const lines = tableLines([head, ...rows], { align: 'right' }).map((line) => `  ${line}`);
  return [paint.strong(`Comparison with ${base?.name ?? ''}`), ...lines];
}

function generatorLines(results: readonly WayResult[], calibration: Calibration | undefined, paint: Paint): string[] {
  const costs = results.flatMap(({ generator }) => generator ?? []);
  if (costs.length === 0) return [];
  const average = (pick: (cost: GeneratorCost) => number): number =>
    costs.reduce((sum, cost) => sum + pick(cost), 0) / costs.length;
  const cost = Math.round(average((each) => each.cpuMicrosPerRequest));
  const cores = average((each) => each.cores);
  return [
    `  ${'Generator'.padEnd(labelWidth)}${cost} µs of processor time per request, ${percentText(cores)} of one core`,
    ...(calibration === undefined ? [] : [calibrationLine(calibration)]),
    ...results.flatMap((way) => limitLines(way, 1 < results.length, paint)),
  ];
}

function calibrationLine({ cpuMicrosPerRequest, requestsPerSecond }: Calibration): string {
  const most = countText(Number(requestsPerSecond.toPrecision(2)));
  return `  ${' '.repeat(labelWidth)}calibrated: ${Math.round(cpuMicrosPerRequest)} µs, so at most about ${most} req/s`;
}

function limitLines({ name, generator }: WayResult, isNamed: boolean, paint: Paint): string[] {
  const limit = generator === undefined ? undefined : generatorLimit(generator);
  if (limit === undefined) return [];
  const where = isNamed ? `${name}: ` : '';
  const why =
    limit === 'itself'
      ? 'the generator used up its core: what it loads may be faster.'
      : 'the generator never got to rest: this machine is too busy to tell more.';
  return [`  ${' '.repeat(labelWidth)}${paint.bad(where + why)}`];
}

function verdictLine({ assertion, holds, way, seenText }: BenchResult['verdicts'][number], paint: Paint): string {
  const where = way === undefined ? '' : `${way}: `;
  return holds
    ? `${paint.good('ok')}      ${where}${assertion} (seen ${seenText})`
    : `${paint.bad('FAILED')}  ${where}${assertion} (seen ${seenText})`;
}
