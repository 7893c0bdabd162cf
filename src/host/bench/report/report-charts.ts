/** The plots of a report: distribution of latency, course over time, and ways side by side. Pure. */
import { countText, rateNumber, ratioText, timeText } from '../../../load/quantity.ts';
import type { TimeSlice } from '../../../load/timeline.ts';
import type { WayResult } from '../measure-ways.ts';
import { type Bar, barChart } from './bar-chart.ts';
import { linearScale, logScale, type Scale } from './chart-scale.ts';
import { type ChartNote, type ChartPoint, type ChartSeries, chartLegend, lineChart } from './line-chart.ts';
import { seriesColours } from './report-style.ts';

/** Returns the colour of each way. */
function coloursOf(results: readonly WayResult[]): ReadonlyMap<string, string> {
  let next = 0;
  return new Map(
    results.map(({ name }) => {
      if (name === 'direct') return [name, 'direct'];
      next += 1;
      return [name, seriesColours[(next - 1) % seriesColours.length] ?? 'c0'];
    }),
  );
}

/** Above this, the tail would press everything else to the ground on a linear axis. */
const logAbove = 25;

/** Latency by percentile. The x axis is as HDR histograms have it: each tenfold nearness to 100 % is as wide as the last. */
export function distributionChart(results: readonly WayResult[]): string {
  const curves = results.filter(({ figures }) => 1 < figures.curve.length);
  const decades = Math.max(1, ...curves.map(({ figures }) => nearness(figures.curve.at(-1)?.[0] ?? 0)));
  const colours = coloursOf(results);
  const series = curves.map(
    ({ name, figures }): ChartSeries => ({
      name,
      colour: colours.get(name) ?? 'c0',
      points: figures.curve.map(([percentile, ms]): ChartPoint => [nearness(percentile) / decades, ms]),
    }),
  );
  const xTicks = [50, 90, 99, 99.9, 99.99, 99.999]
    .filter((percentile) => nearness(percentile) <= decades + 1e-9)
    .map((percentile) => [nearness(percentile) / decades, `p${percentile}`] as const);
  const chart = lineChart({
    title: 'Latency by percentile',
    y: latencyScale(curves),
    yText: timeText,
    xTicks,
    series,
    height: 240,
  });
  return `${1 < series.length ? chartLegend(series) : ''}${chart}`;
}

/** Requests per second and latency over time. */
export function timelineCharts(results: readonly WayResult[]): string {
  const seconds = Math.max(...results.map(({ figures }) => figures.seconds));
  const colours = coloursOf(results);
  const isSingle = results.length === 1;
  const lines = (value: (slice: TimeSlice) => number | undefined, isFilled: boolean): ChartSeries[] =>
    results.map(({ name, figures }) => ({
      name,
      colour: colours.get(name) ?? 'c0',
      points: wholeSlices(figures.timeline).map((slice): ChartPoint => [middleOf(slice) / seconds, value(slice)]),
      isFilled: isFilled && isSingle,
    }));
  const rates = lines(rateOf, true);
  const slices = results.flatMap(({ figures }) => wholeSlices(figures.timeline));
  const xTicks = secondsTicks(seconds);
  const rateScale = linearScale(Math.max(...slices.map((slice) => rateOf(slice) + failureRateOf(slice))));
  const notes = isSingle ? notesOf(slices, seconds, rateScale) : [];
  const latencies = isSingle
    ? [
        ...lines(({ p99Ms }) => p99Ms, false).map((each) => ({ ...each, name: 'p99', colour: 'c1' })),
        ...lines(({ p50Ms }) => p50Ms, false).map((each) => ({ ...each, name: 'p50' })),
      ]
    : lines(({ p99Ms }) => p99Ms, false);
  const hasFailures = slices.some(({ failed }) => 0 < failed);
  const rateLegend = isSingle ? (hasFailures ? failureLegend : '') : chartLegend(rates);
  const rateChart = lineChart({
    ...{ title: 'Requests per second over time', yText: rateNumber, xTicks, series: rates, notes, height: 150 },
    y: rateScale,
  });
  const latencyChart = lineChart({
    ...{ title: 'Latency over time', yText: timeText, xTicks, series: latencies, height: 150 },
    notes: notes.map((note) => ({ ...note, alarm: 0 })),
    y: linearScale(Math.max(...slices.map(({ p99Ms = 0 }) => p99Ms))),
  });
  return (
    `<h3>Requests per second</h3>${rateLegend}${rateChart}` +
    `<h3>${isSingle ? 'Latency' : 'p99'}</h3>${isSingle ? chartLegend(latencies) : ''}${latencyChart}`
  );
}

/** Ways side by side: one group of bars per figure. Less is better in all but the first. */
export function comparisonCharts(results: readonly WayResult[]): string {
  const colours = coloursOf(results);
  const base = results.find(({ name }) => name === 'direct') ?? results[0];
  const group = (
    title: string,
    value: (way: WayResult) => number | undefined,
    text: (value: number) => string,
  ): string => {
    const reference = base === undefined ? undefined : value(base);
    const bars = results.map((way): Bar => {
      const seen = value(way);
      const isCompared = seen !== undefined && reference !== undefined && reference !== 0 && way !== base;
      return {
        name: way.name,
        colour: colours.get(way.name) ?? 'c0',
        value: seen,
        text: seen === undefined ? '-' : text(seen),
        note: isCompared ? ratioText(seen / reference) : '',
      };
    });
    return `<div><h3>${title}</h3>${barChart(title, bars)}</div>`;
  };
  const groups = [
    group('Requests per second', ({ figures }) => figures.requestsPerSecond, rateNumber),
    group('p50 latency', ({ figures }) => figures.latencyMs?.p50, timeText),
    group('p99 latency', ({ figures }) => figures.latencyMs?.p99, timeText),
    group('Processor time of edge and agent per request', cpuOf, (micros) => `${countText(micros)} µs`),
  ];
  return `<div class="pair">${groups.join('')}</div>`;
}

const failureLegend = '<ul class="legend"><li><i class="swatch fail"></i>failed</li></ul>';

/** Powers of ten that a percentile is away from 0 %: 1 for p90, 2 for p99. */
function nearness(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

function latencyScale(results: readonly WayResult[]): Scale {
  const highest = Math.max(...results.map(({ figures }) => figures.curve.at(-1)?.[1] ?? 1));
  const medians = results.map(({ figures }) => figures.latencyMs?.p50 ?? 1);
  if (highest / Math.min(...medians) < logAbove) return linearScale(highest);
  return logScale(Math.min(...results.map(({ figures }) => figures.latencyMs?.min ?? 1)), highest);
}

function rateOf({ succeeded, seconds }: TimeSlice): number {
  return seconds === 0 ? 0 : succeeded / seconds;
}

function failureRateOf({ failed, seconds }: TimeSlice): number {
  return seconds === 0 ? 0 : failed / seconds;
}

/** A sliver at the end of a round says nothing of a rate. */
function wholeSlices(slices: readonly TimeSlice[]): readonly TimeSlice[] {
  const width = Math.max(...slices.map(({ seconds }) => seconds));
  return slices.filter(({ seconds }) => width / 4 < seconds);
}

function middleOf({ atSeconds, seconds }: TimeSlice): number {
  return atSeconds + seconds / 2;
}

function secondsTicks(seconds: number): [number, string][] {
  return linearScale(seconds, 5)
    .ticks.filter((tick) => tick <= seconds * 1.0001)
    .map((tick) => [tick / seconds, `${tick}s`]);
}

function notesOf(slices: readonly TimeSlice[], seconds: number, rateScale: Scale): ChartNote[] {
  return slices.map((slice) => {
    const { atSeconds, failed, p50Ms, p99Ms } = slice;
    const latency =
      p99Ms === undefined || p50Ms === undefined ? '' : `, p50 ${timeText(p50Ms)}, p99 ${timeText(p99Ms)}`;
    return {
      from: atSeconds / seconds,
      to: (atSeconds + slice.seconds) / seconds,
      text: `${atSeconds.toFixed(1)}s: ${rateNumber(rateOf(slice))} req/s${latency}, ${countText(failed)} failed`,
      alarm: failed === 0 ? 0 : rateScale.at(failureRateOf(slice)),
    };
  });
}

function cpuOf({ processes }: WayResult): number | undefined {
  if (processes.length === 0) return undefined;
  return processes.reduce((sum, { cpuMicrosPerRequest }) => sum + cpuMicrosPerRequest, 0);
}
