/**
 * Lays figures out for people: a table where the terminal is wide or there is none, and a block for each tunnel where it is
 * narrow. Pure.
 */
import type { LatencyFigures } from '../../telemetry/latency.ts';
import { printable } from '../terminal/printable.ts';
import { filled } from '../terminal/text-layout.ts';
import type { StatsReading, TotalReading, TunnelReading } from './stats-reading.ts';
import { bytesText, countText, durationText, latencyText, rateText, shareText } from './stats-text.ts';

/** Columns of a domain in the table; with less room for it there is no table. */
const minDomainColumns = 16;

/** How lines are laid out. */
export interface StatsLayout {
  /** Columns of the terminal; undefined when there is none, and lines may be long. */
  readonly columns: number | undefined;
  /** Requests per second, by tunnel and of all, when they are known; percentiles are then those of the latest. */
  readonly rates?: StatsRates | undefined;
  /** Makes a text stand out. */
  readonly strong: (text: string) => string;
  /** Makes a text that tells of trouble stand out. */
  readonly alarming: (text: string) => string;
}

/** Requests per second. */
export interface StatsRates {
  readonly all: number;
  of(tunnel: TunnelReading): number;
}

/** Returns the lines of one look. */
export function statsLines(reading: StatsReading, layout: StatsLayout): string[] {
  const { columns = Number.POSITIVE_INFINITY } = layout;
  const body = tableOf(reading, layout) ?? blocksOf(reading, layout);
  const hint =
    reading.tunnels.length > 0 ? [] : ['', ...filled('No tunnel yet: `giraffe tunnel PORT` opens one.', columns)];
  return [...headLines(reading, layout), '', ...body, ...codeLines(reading, columns), ...hint];
}

function headLines(
  { from, sources, startedAt, takenAt, edge, silent = [] }: StatsReading,
  layout: StatsLayout,
): string[] {
  const { strong, alarming, columns = Number.POSITIVE_INFINITY } = layout;
  const since = durationText(Date.parse(takenAt) - Date.parse(startedAt));
  const who = from === 'edge' ? `Edge ${sources[0] ?? ''}` : agentsText(sources);
  const [first = '', ...others] = filled(`${printable(who)}, counting for ${since}`, columns);
  const missing = silent
    .flatMap((agent) => filled(printable(`No answer from ${agent}`), columns))
    .map((line) => alarming(line));
  const lines = [strong(first), ...others, ...missing];
  if (edge === undefined) return lines;
  const { sessions, carriers, connections, openBreakers, memory } = edge;
  const breakers = openBreakers === 0 ? '' : `, open breakers ${openBreakers}`;
  const now =
    `sessions ${sessions} (gRPC ${carriers.grpc}, TCP ${carriers.tcp}), client connections ${connections}${breakers}, ` +
    `memory ${bytesText(memory.resident)}`;
  return [...lines, ...filled(now, columns)];
}

function agentsText(sources: readonly string[]): string {
  return sources.length === 1 ? `Agent ${sources[0]}` : `${sources.length} agents on this machine`;
}

interface Row {
  readonly label: string;
  readonly figures: TotalReading;
  readonly latency: LatencyFigures | undefined;
  readonly rate: number | undefined;
  readonly note: string;
}

function rowsOf({ tunnels, totals }: StatsReading, { rates }: StatsLayout): Row[] {
  const latencyOf = ({ latency, recent }: TotalReading) => (rates === undefined ? latency : recent);
  const rows = tunnels.map(
    (tunnel): Row => ({
      label: printable(tunnel.domain),
      figures: tunnel,
      latency: latencyOf(tunnel),
      rate: rates?.of(tunnel),
      note: noteOf(tunnel),
    }),
  );
  return [...rows, { label: 'all', figures: totals, latency: latencyOf(totals), rate: rates?.all, note: '' }];
}

function noteOf({ sessions, breaker, rateLimit, target }: TunnelReading): string {
  const notes = [
    sessions === undefined ? undefined : sessions === 0 ? 'no agent' : sessions > 1 ? `${sessions} agents` : undefined,
    breaker === undefined || breaker === 'closed' ? undefined : `breaker ${breaker}`,
    rateLimit?.remaining === 0 ? 'at its rate limit' : undefined,
    target,
  ];
  return printable(notes.filter((note) => note !== undefined).join(', '));
}

/** Name, a short name for where domains would be cut, and how a row's cell is written. */
type Column = readonly [name: string, shortName: string, cell: (row: Row) => string];

function columnsOf({ rates }: StatsLayout): Column[] {
  const all: (Column | undefined)[] = [
    ['REQUESTS', 'REQS', ({ figures }) => countText(figures.requests)],
    rates === undefined ? undefined : ['REQ/S', 'REQ/S', ({ rate }) => rateText(rate ?? 0)],
    ['RESPONSES', 'RESP', ({ figures }) => countText(figures.responses)],
    ['ERRORS', 'ERR', ({ figures }) => countText(figures.errors)],
    ['IN FLIGHT', 'OPEN', ({ figures }) => countText(figures.inFlight)],
    ['RECONN', 'RECONN', ({ figures }) => countText(figures.reconnects)],
    ['IN', 'IN', ({ figures }) => bytesText(figures.requestBytes)],
    ['OUT', 'OUT', ({ figures }) => bytesText(figures.responseBytes)],
    ['P50', 'P50', ({ latency }) => latencyText(latency?.p50Ms)],
    ['P95', 'P95', ({ latency }) => latencyText(latency?.p95Ms)],
    ['P99', 'P99', ({ latency }) => latencyText(latency?.p99Ms)],
    ['GRPC', 'GRPC', ({ figures }) => transportShare(figures, 'grpc')],
    ['TCP', 'TCP', ({ figures }) => transportShare(figures, 'tcp')],
    ['UPGRADES', 'UPGR', ({ figures }) => countText(figures.transports.upgrades)],
  ];
  return all.filter((column) => column !== undefined);
}

/** The share of what took a way at all. */
function transportShare({ transports: { grpc, tcp } }: TotalReading, transport: 'grpc' | 'tcp'): string {
  return shareText(transport === 'grpc' ? grpc : tcp, grpc + tcp);
}

/** Returns the table; undefined when the terminal is too narrow for it. */
function tableOf(reading: StatsReading, layout: StatsLayout): string[] | undefined {
  const rows = rowsOf(reading, layout);
  const columns = columnsOf(layout);
  const cells = rows.map((row) => columns.map(([, , cell]) => cell(row)));
  const width = layout.columns ?? Number.POSITIVE_INFINITY;
  const wanted = Math.max(6, ...rows.map(({ label }) => label.length));
  const headed = (names: readonly string[]) => {
    const widths = names.map((name, index) => Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)));
    return { names, widths, room: width - widths.reduce((sum, one) => sum + one + 2, 0) };
  };
  const full = headed(columns.map(([name]) => name));
  const { names, widths, room } = full.room >= wanted ? full : headed(columns.map(([, name]) => name));
  if (room < minDomainColumns) return undefined;
  const first = Math.min(room, wanted);
  const lineOf = (label: string, texts: readonly string[]) =>
    [label.padEnd(first), ...texts.map((text, index) => text.padStart(widths[index] ?? 0))].join('  ');
  const errorColumn = columns.findIndex(([name]) => name === 'ERRORS');
  const head = lineOf('DOMAIN', names);
  const lines = rows.map(({ label, note, figures }, index) => {
    const line = lineOf(shortened(label, first), cells[index] ?? []);
    const noted = note === '' || line.length + 2 + note.length > width ? line : `${line}  ${note}`;
    if (figures.errors === 0) return noted;
    // Behind the domain and the columns before it; a colour has no width.
    const end = first + widths.slice(0, errorColumn + 1).reduce((sum, one) => sum + one + 2, 0);
    const start = end - (cells[index]?.[errorColumn]?.length ?? 0);
    return noted.slice(0, start) + layout.alarming(noted.slice(start, end)) + noted.slice(end);
  });
  return [layout.strong(head), ...lines];
}

function blocksOf(reading: StatsReading, layout: StatsLayout): string[] {
  const width = layout.columns ?? Number.POSITIVE_INFINITY;
  return rowsOf(reading, layout).flatMap(({ label, figures, latency, rate, note }) => {
    const { requests, responses, errors, inFlight, reconnects, requestBytes, responseBytes, transports } = figures;
    const head = note === '' || label.length + 2 + note.length > width ? label : `${label}  ${note}`;
    const rateNote = rate === undefined ? '' : ` (${rateText(rate)}/s)`;
    const counts =
      `requests ${countText(requests)}${rateNote}  responses ${countText(responses)}  errors ${countText(errors)}  ` +
      `in flight ${countText(inFlight)}  reconnects ${countText(reconnects)}`;
    const rest =
      `in ${bytesText(requestBytes)}  out ${bytesText(responseBytes)}  p50 ${latencyText(latency?.p50Ms)}  ` +
      `p95 ${latencyText(latency?.p95Ms)}  p99 ${latencyText(latency?.p99Ms)}`;
    const ways =
      `gRPC ${transportShare(figures, 'grpc')}  TCP ${transportShare(figures, 'tcp')}  ` +
      `upgrades ${countText(transports.upgrades)}`;
    const lines = [counts, rest, ways].flatMap((text) => wrapped(text, width - 2)).map((text) => `  ${text}`);
    const alarmed = (line: string) =>
      errors > 0 ? line.replace(/errors [\d,]+/, (found) => layout.alarming(found)) : line;
    return [layout.strong(shortened(head, width)), ...lines.map(alarmed)];
  });
}

/** Breaks between figures alone, never between a figure and its name. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of text.split('  ')) {
    const longer = `${lines.at(-1)}  ${part}`;
    if (lines.length > 0 && longer.length <= width) lines.splice(-1, 1, longer);
    else lines.push(part);
  }
  return lines;
}

function codeLines({ totals }: StatsReading, width: number): string[] {
  const codes = Object.entries(totals.codes).sort(([, a], [, b]) => b - a);
  if (codes.length === 0) return [];
  const text = `errors: ${codes.map(([code, count]) => `${printable(code)}\u0000${countText(count)}`).join(', ')}`;
  return ['', ...filled(text, width).map((line) => line.replaceAll('\u0000', ' '))];
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
