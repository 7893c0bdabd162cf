/** Quantities as people read and write them. Pure. Base units: milliseconds, octets, per second, shares from 0 to 1. */

/** What a number measures. */
export type QuantityKind = 'count' | 'time' | 'rate' | 'bytes' | 'byte-rate' | 'share' | 'ratio';

const second = 1000;
const byteUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** How much of the base unit each unit is. The empty one is a bare number. */
const unitsOf: Readonly<Record<QuantityKind, Readonly<Record<string, number>>>> = {
  count: { '': 1, k: 1e3, M: 1e6 },
  time: { us: 1e-3, µs: 1e-3, ms: 1, s: second, m: 60 * second },
  rate: { '': 1, 'req/s': 1, '/s': 1, k: 1e3, 'kreq/s': 1e3 },
  bytes: byteUnits,
  'byte-rate': Object.fromEntries(Object.entries(byteUnits).map(([unit, factor]) => [`${unit}/s`, factor])),
  share: { '%': 0.01 },
  ratio: { '': 1, x: 1 },
};

/** The units that a kind can be written with, the empty one left out. */
export function unitsText(kind: QuantityKind): string {
  return Object.keys(unitsOf[kind])
    .filter((unit) => unit !== '')
    .join(', ');
}

/** Returns a number of the base unit; undefined when the kind has no such unit. */
export function inBaseUnit(amount: number, unit: string, kind: QuantityKind): number | undefined {
  const units = unitsOf[kind];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return factor === undefined ? undefined : amount * factor;
}

/** Writes a quantity of a kind. */
export function quantityText(value: number, kind: QuantityKind): string {
  switch (kind) {
    case 'count':
      return countText(value);
    case 'time':
      return timeText(value);
    case 'rate':
      return `${rateNumber(value)} req/s`;
    case 'bytes':
      return bytesText(value);
    case 'byte-rate':
      return `${bytesText(value)}/s`;
    case 'share':
      return percentText(value);
    case 'ratio':
      return ratioText(value);
  }
}

/** `0.85ms`, `8.5ms`, `85ms`, `12.3s`: at most three digits that matter. */
export function timeText(ms: number): string {
  if (10 * second <= ms) return `${trimmed(ms / second, 1)}s`;
  return millisecondsText(ms);
}

/** As {@link timeText}, in milliseconds however long it is. */
export function millisecondsText(ms: number): string {
  return `${trimmed(ms, ms < 1 ? 2 : ms < 10 ? 1 : 0)}ms`;
}

/** A time that somebody has set, as they would write it: `250ms`, `30s`, `5m`. */
export function durationText(ms: number): string {
  const minute = 60 * second;
  if (ms !== 0 && ms % minute === 0) return `${ms / minute}m`;
  return ms !== 0 && ms % second === 0 ? `${ms / second}s` : `${ms}ms`;
}

/** `12,345`. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `512 B`, `1.5 kB`, `24.1 MB`: decimal units. */
export function bytesText(bytes: number): string {
  if (bytes < 0) return `-${bytesText(-bytes)}`;
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  for (const [unit, size] of [
    ['kB', 1e3],
    ['MB', 1e6],
    ['GB', 1e9],
  ] as const) {
    const amount = bytes / size;
    if (amount < 999.5 || unit === 'GB') return `${trimmed(amount, amount < 100 ? 1 : 0)} ${unit}`;
  }
  return '';
}

/** `0%`, `0.1%`, `12%`; never 0% for more than nothing, never 100% for less than all. */
export function percentText(share: number): string {
  const percent = share * 100;
  if (percent !== 0 && percent < 0.01) return '<0.01%';
  if (99.99 < percent && percent < 100) return '>99.99%';
  return `${trimmed(percent, percent < 1 ? 2 : percent < 10 || 99 < percent ? 1 : 0)}%`;
}

/** `1.42x`. */
export function ratioText(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** `12,345`, or `12.3` where that is little. */
export function rateNumber(perSecond: number): string {
  return perSecond < 100 ? trimmed(perSecond, 1) : countText(perSecond);
}

function trimmed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
