/**
 * Draws lines over an x axis as SVG. Pure.
 *
 * The drawing stretches with the page while text keeps its size: lines live in an inner picture without proportions,
 * labels are placed by percentages.
 */
import type { Scale } from './chart-scale.ts';
import { coordinate, escaped, percentage } from './markup.ts';

/** A point: place on the x axis from 0 to 1, and a value; undefined where the line has a gap. */
export type ChartPoint = readonly [x: number, value: number | undefined];

/** One line. */
export interface ChartSeries {
  readonly name: string;
  /** Which colour, see report-style.ts. */
  readonly colour: string;
  readonly points: readonly ChartPoint[];
  /** Whether the area below is filled. */
  readonly isFilled?: boolean;
}

/** A part of the x axis that tells something when pointed at. */
export interface ChartNote {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Height of a red bar, from 0 to 1; 0 for none. */
  readonly alarm: number;
}

/** A chart. */
export interface LineChart {
  /** For those who cannot see it. */
  readonly title: string;
  readonly y: Scale;
  readonly yText: (value: number) => string;
  /** Labels of the x axis: place from 0 to 1, and text. */
  readonly xTicks: readonly (readonly [place: number, text: string])[];
  readonly series: readonly ChartSeries[];
  readonly notes?: readonly ChartNote[];
  /** Height of the plot in pixels. Default 200. */
  readonly height?: number;
}

const top = 8;
const axisHeight = 24;
/** Units of the inner picture in both directions. */
const units = 1000;

/** Width of the labels of the y axis, in pixels; the style sheet has the same. */
const gutter = 56;

/** Returns the chart as an element. */
export function lineChart({ title, y, yText, xTicks, series, notes = [], height = 200 }: LineChart): string {
  const rows = y.ticks.map((tick) => ({ text: yText(tick), row: coordinate(top + (1 - y.at(tick)) * height) }));
  const labels = rows.map(
    ({ text, row }) =>
      `<text class="label" text-anchor="end" x="${gutter - 10}" y="${Number(row) + 4}">${escaped(text)}</text>`,
  );
  const grid = rows.map(({ row }) => `<line class="grid" x1="0" x2="100%" y1="${row}" y2="${row}"/>`);
  const wholeHeight = top + height + axisHeight;
  return (
    `<div class="chart"><svg aria-hidden="true" width="${gutter}" height="${wholeHeight}">${labels.join('')}</svg>` +
    `<svg role="img" width="100%" height="${wholeHeight}"><title>${escaped(title)}</title>` +
    `${grid.join('')}${xTicks.map((tick) => columnOf(tick, height)).join('')}${alarmBars(notes, height)}` +
    `<svg y="${top}" width="100%" height="${height}" viewBox="0 0 ${units} ${units}" preserveAspectRatio="none" overflow="visible">` +
    `${series.map((each) => lineOf(each, y)).join('')}</svg>` +
    `${notes.map((note) => hoverOf(note, height)).join('')}</svg></div>`
  );
}

/** A label of the x axis; the outermost ones stay inside. */
function columnOf([place, text]: LineChart['xTicks'][number], height: number): string {
  const anchor = place < 0.04 ? 'start' : 0.96 < place ? 'end' : 'middle';
  const bottom = top + height;
  return (
    `<line class="tick" x1="${percentage(place)}" x2="${percentage(place)}" y1="${bottom}" y2="${bottom + 5}"/>` +
    `<text class="label" text-anchor="${anchor}" x="${percentage(place)}" y="${bottom + 19}">${escaped(text)}</text>`
  );
}

/** Returns what tells which colour is which line. */
export function chartLegend(series: readonly Pick<ChartSeries, 'name' | 'colour'>[]): string {
  const entries = series.map(({ name, colour }) => `<li><i class="swatch ${colour}"></i>${escaped(name)}</li>`);
  return `<ul class="legend">${entries.join('')}</ul>`;
}

function lineOf({ colour, points, isFilled = false }: ChartSeries, y: Scale): string {
  const runs = runsOf(points).map((run) =>
    run.map(([x, value]) => `${coordinate(x * units)},${coordinate((1 - y.at(value)) * units)}`),
  );
  return runs
    .map((run) => {
      const [first = '', last = ''] = [run[0], run.at(-1)];
      const area = isFilled
        ? `<polygon class="area ${colour}" points="${first.split(',')[0]},${units} ${run.join(' ')} ${last.split(',')[0]},${units}"/>`
        : '';
      // A run of one point would not be seen.
      const line = run.length === 1 ? [first, first].join(' ') : run.join(' ');
      return `${area}<polyline class="line ${colour}" points="${line}"/>`;
    })
    .join('');
}

/** Splits at gaps. */
function runsOf(points: readonly ChartPoint[]): [number, number][][] {
  const runs: [number, number][][] = [[]];
  for (const [x, value] of points) {
    if (value === undefined) runs.push([]);
    else runs.at(-1)?.push([x, value]);
  }
  return runs.filter((run) => 0 < run.length);
}

function alarmBars(notes: readonly ChartNote[], height: number): string {
  return notes
    .filter(({ alarm }) => 0 < alarm)
    .map(({ from, to, alarm }) => {
      const barHeight = Math.max(3, alarm * height);
      return `<rect class="alarm" x="${percentage(from)}" width="${percentage(to - from)}" y="${coordinate(top + height - barHeight)}" height="${coordinate(barHeight)}"/>`;
    })
    .join('');
}

function hoverOf({ from, to, text }: ChartNote, height: number): string {
  return (
    `<rect class="hover" x="${percentage(from)}" width="${percentage(to - from)}" y="${top}" height="${height}">` +
    `<title>${escaped(text)}</title></rect>`
  );
}
