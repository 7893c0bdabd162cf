/** One plot over time. What it shows last is also there as text, for those who cannot see it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Point } from './history.ts';

/** One line of a plot. */
export interface Series {
  readonly label: string;
  /** Name of a colour of the theme. */
  readonly colour: string;
  readonly value: (point: Point) => number | undefined;
}

/** What is plotted. */
export interface PlotProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly points: readonly Point[];
  readonly text: (value: number) => string;
}

const heightPx = 170;
/** Time that a plot shows at the least, in seconds, so that what comes has a place. */
const leastSeconds = 60;
const darkScheme = matchMedia('(prefers-color-scheme: dark)');

/** The plot, as wide as there is room. */
export function Plot({ title, series, points, text }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const scheme = useScheme();
  const data = dataOf(series, points);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(element, series, text), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPx }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(data), [points]);
  const last = points.at(-1);
  return (
    <figure class="card plot">
      <figcaption>
        <h3>{title}</h3>
        <ul class="plot-legend">
          {series.map(({ label, colour, value }) => {
            const now = last && value(last);
            return (
              <li key={label}>
                <span class={`plot-key ${colour}`} aria-hidden="true" />
                {label} <b>{now === undefined ? '–' : text(now)}</b>
              </li>
            );
          })}
        </ul>
      </figcaption>
      <div class="plot-place" ref={place} aria-hidden="true" />
    </figure>
  );
}

/** Changes when the browser goes from light to dark or back. */
function useScheme(): boolean {
  const [isDark, setDark] = useState(darkScheme.matches);
  useEffect(() => {
    const change = (): void => setDark(darkScheme.matches);
    darkScheme.addEventListener('change', change);
    return () => darkScheme.removeEventListener('change', change);
  }, []);
  return isDark;
}

function dataOf(series: readonly Series[], points: readonly Point[]): uPlot.AlignedData {
  return [points.map(({ at }) => at), ...series.map(({ value }) => points.map((point) => value(point) ?? null))];
}

function optionsOf(element: HTMLElement, series: readonly Series[], text: (value: number) => string): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('muted'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: heightPx,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      // Of its own accord the library shows a whole day for one point.
      x: { range: (plot) => timeRange(plot.data?.[0] ?? []) },
      y: { range: (_plot, _min, max) => [0, Math.max(max * 1.15, 1)] },
    },
    axes: [
      { ...axis, size: 26, space: 70, values: (_plot, marks) => marks.map((mark) => timeOf(mark)) },
      { ...axis, size: 62, values: (_plot, marks) => marks.map(text) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name }) => ({
        label,
        stroke: colour(name),
        width: 1.75,
        fill: series.length === 1 ? `${colour(name)}22` : '',
        // A line takes two; the first point would not be seen.
        points: { show: (plot: uPlot) => plot.data[0].length === 1 },
      })),
    ],
  };
}

function timeRange(times: ArrayLike<number>): [number, number] {
  const end = times[times.length - 1] ?? Date.now() / 1000;
  return [Math.min(times[0] ?? end, end - leastSeconds), end];
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour12: false });
}
