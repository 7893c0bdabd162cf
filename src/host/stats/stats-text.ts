/** Writes figures for people: numbers, durations, octets and bars. Pure. */

/** Returns a count with its thousands apart. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Powers of 1,000, as on the dashboard and in the report of a bench. */
const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Returns a number of octets in the unit that fits. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${byteUnits[unit]}`;
}

/** Returns milliseconds in the unit that fits; `-` for none. */
export function latencyText(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Returns a number per second. */
export function rateText(rate: number): string {
  return rate < 100 ? rate.toFixed(1) : countText(rate);
}

/** Returns how long something has been, in its two largest units. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** Returns the share of a part in percent. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return '-';
  const percent = (part / whole) * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)}%`;
}

const bars = '▁▂▃▄▅▆▇█';

/** Returns a line of bars, the highest one for the highest value; a space for what is not known. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const highest = Math.max(...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      return bars[highest === 0 ? 0 : Math.round((value / highest) * (bars.length - 1))] ?? ' ';
    })
    .join('');
}
