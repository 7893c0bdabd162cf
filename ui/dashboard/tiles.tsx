/** The figures that an operator looks at first. */
import { bytesText, countOf, countText, durationText } from '../parts/format.ts';
import type { Stats } from './edge-api.ts';
import type { Point } from './history.ts';

/** What the tiles show. */
export interface TilesProps {
  readonly stats: Stats;
  readonly points: readonly Point[];
}

/** The tiles. */
export function Tiles({ stats, points }: TilesProps) {
  const { totals, now } = stats;
  const last = points.at(-1);
  const ended = totals.responses + totals.errors;
  const errorShare = ended === 0 ? 0 : totals.errors / ended;
  return (
    <dl class="tiles">
      <Tile name="Requests" value={last === undefined ? '–' : `${rateText(last.requestsPerSecond)}/s`}>
        {countText(totals.requests)} in all
      </Tile>
      <Tile name="Errors" value={`${(100 * errorShare).toFixed(errorShare < 0.1 ? 2 : 1)} %`} isBad={errorShare > 0.05}>
        {countText(totals.errors)} in all
      </Tile>
      <Tile name="Latency, p95" value={last?.p95Ms === undefined ? '–' : durationText(last.p95Ms)}>
        {totals.latency.p50Ms === undefined ? 'nothing measured' : `p50 ${durationText(totals.latency.p50Ms)} over all`}
      </Tile>
      <Tile name="In flight" value={countText(totals.inFlight)}>
        {countOf(now.connections, 'client connection')}
      </Tile>
      <Tile name="Agents" value={countText(now.sessions)}>
        {countOf(now.endpoints, 'tunnel')}
      </Tile>
      <Tile name="Traffic" value={last === undefined ? '–' : `${bytesText(last.bytesPerSecond)}/s`}>
        {bytesText(totals.requestBytes)} in, {bytesText(totals.responseBytes)} out
      </Tile>
      <Tile name="Memory" value={bytesText(now.memory.resident)}>
        heap {bytesText(now.memory.heap)}
      </Tile>
    </dl>
  );
}

/** A rate per second: with digits behind the point while it is small. */
export function rateText(rate: number): string {
  if (rate > 0 && rate < 1) return rate.toFixed(2);
  return rate < 10 ? rate.toFixed(1) : countText(Math.round(rate));
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly isBad?: boolean;
  readonly children: preact.ComponentChildren;
}

function Tile({ name, value, isBad = false, children }: TileProps) {
  return (
    <div class="card tile">
      <dt>{name}</dt>
      <dd class={`tile-value ${isBad ? 'bad' : ''}`}>{value}</dd>
      <dd class="muted">{children}</dd>
    </div>
  );
}
