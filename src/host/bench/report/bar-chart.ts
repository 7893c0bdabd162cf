/** Draws one bar per way, each with its value beside its name. Pure. */
import { escaped, percentage } from './markup.ts';

/** One bar. */
export interface Bar {
  readonly name: string;
  readonly colour: string;
  readonly value: number | undefined;
  readonly text: string;
  /** Such as a ratio. */
  readonly note: string;
}

const rowHeight = 40;
const barTop = 20;
const barHeight = 10;

/** Returns the bars as an `svg` element; the longest is as wide as the chart. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const longest = Math.max(...bars.map(({ value }) => value ?? 0));
  const rows = bars.map(({ name, colour, value, text, note }, index) => {
    const y = index * rowHeight;
    const width = value === undefined || longest === 0 ? 0 : value / longest;
    return (
      `<text class="name" x="0" y="${y + 13}">${escaped(name)}</text>` +
      `<text class="value" x="100%" y="${y + 13}" text-anchor="end">${escaped(text)}` +
      `${note === '' ? '' : `<tspan class="note" dx="8">${escaped(note)}</tspan>`}</text>` +
      `<rect class="rail" width="100%" height="${barHeight}" y="${y + barTop}" rx="3"/>` +
      `<rect class="bar ${colour}" width="${percentage(width)}" height="${barHeight}" y="${y + barTop}" rx="3"/>`
    );
  });
  return `<svg role="img" width="100%" height="${bars.length * rowHeight}"><title>${escaped(title)}</title>${rows.join('')}</svg>`;
}
