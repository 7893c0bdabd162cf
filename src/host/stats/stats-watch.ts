/** What changes between looks: rates, and the course of the latest. Pure over the times of the looks. */
import type { StatsReading, TunnelReading } from './stats-reading.ts';
import type { StatsRates } from './stats-table.ts';
import { latencyText, rateText, sparkline } from './stats-text.ts';

/** Looks that are remembered, as many as bars fit a wide line. */
const maxCourse = 120;
/** Bars at least, so that there is something to see. */
const minBars = 8;

/** Follows one place over time. */
export class StatsCourse {
  #former: StatsReading | undefined;
  #rates: StatsRates = { all: 0, of: () => 0 };
  readonly #requests: number[] = [];
  readonly #latencies: (number | undefined)[] = [];

  /** Rates since the look before. */
  get rates(): StatsRates {
    return this.#rates;
  }

  /** Takes a look into account. */
  add(reading: StatsReading): void {
    const former = this.#former;
    this.#former = reading;
    if (former === undefined) return;
    const seconds = (Date.parse(reading.takenAt) - Date.parse(former.takenAt)) / 1000;
    const before = new Map(former.tunnels.map((tunnel) => [keyOf(tunnel), tunnel.requests]));
    // Whoever was started anew counts from nothing again.
    const perSecond = (now: number, then: number) => (seconds <= 0 ? 0 : (now < then ? now : now - then) / seconds);
    this.#rates = {
      all: perSecond(reading.totals.requests, former.totals.requests),
      of: (tunnel) => perSecond(tunnel.requests, before.get(keyOf(tunnel)) ?? 0),
    };
    keep(this.#requests, this.#rates.all);
    keep(this.#latencies, slowest(reading));
  }

  /** Returns the lines with the course of requests and of the 99th percentile. */
  lines(columns: number): string[] {
    const room = Math.max(minBars, Math.min(maxCourse, columns - 24));
    const label = (name: string, value: string, bars: string) => `${name.padEnd(6)} ${value.padStart(9)}  ${bars}`;
    return [
      label('req/s', rateText(this.#rates.all), sparkline(this.#requests.slice(-room))),
      label('p99', latencyText(this.#latencies.at(-1)), sparkline(this.#latencies.slice(-room))),
    ];
  }
}

/** The latest 99th percentile of all; where it cannot be known for all together, of the slowest tunnel. */
export function slowest({ totals, tunnels }: StatsReading): number | undefined {
  if (totals.recent !== undefined) return totals.recent.p99Ms;
  const known = tunnels.flatMap(({ recent }) => recent.p99Ms ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function keyOf({ domain, pid }: TunnelReading): string {
  return `${pid ?? ''} ${domain}`;
}

function keep<T>(values: T[], value: T): void {
  values.push(value);
  if (values.length > maxCourse) values.shift();
}
