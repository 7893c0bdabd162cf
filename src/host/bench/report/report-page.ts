/**
 * The report of a bench: one HTML page that needs nothing else. Pure.
 *
 * No script, no request, no inline style: its policy allows one style sheet, by hash.
 */
import { createHash } from 'node:crypto';
import { failedShare, type LatencyFigures, type LoadFigures, shownPercentiles } from '../../../load/load-figures.ts';
import { bytesText, countText, percentText, rateNumber, timeText } from '../../../load/quantity.ts';
import type { BenchResult } from '../bench-result.ts';
import type { WayResult } from '../measure-ways.ts';
import { escaped } from './markup.ts';
import { comparisonCharts, distributionChart, timelineCharts } from './report-charts.ts';
import { reportDetails } from './report-details.ts';
import { reportStyle } from './report-style.ts';

/** Returns the page. */
export function reportPage(result: BenchResult): string {
  const hash = createHash('sha256').update(reportStyle).digest('base64');
  const { plan, results } = result;
  const title = titleOf(result);
  const sections = [
    results.length === 1 ? tiles(results[0]) : '',
    verdicts(result),
    scenario(result),
    1 < results.length
      ? section(plan.isComparison ? 'Side by side' : 'Phases', comparisonNote(results), comparisonCharts(results))
      : '',
    ...plots(results),
    section('Figures', undefined, `<div class="scroll">${figureTable(results)}</div>`),
    errors(results),
    section('How it was measured', undefined, reportDetails(result)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<title>${escaped(title)} · giraffe bench</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header><p class="brand">giraffe bench</p><h1>${escaped(title)}</h1><p class="soft">${escaped(subtitleOf(result))}</p></header>
${sections.filter((text) => text !== '').join('\n')}
<footer>Made by giraffe ${escaped(result.version)}.</footer>
</main>
</body>
</html>
`;
}

const wayNames: Readonly<Record<string, string>> = {
  hybrid: 'the tunnel',
  grpc: 'the tunnel over gRPC',
  tcp: 'the tunnel over TCP',
  direct: 'the origin itself',
};

function titleOf({ plan, scenario: found }: BenchResult): string {
  if (plan.target !== undefined) return plan.target.url;
  if (found !== undefined) return found.title;
  if (plan.isComparison) return plan.ways.join(' · ');
  return `Load through ${wayNames[plan.ways[0] ?? 'hybrid'] ?? 'the tunnel'}`;
}

function subtitleOf({ plan, startedAt, isInterrupted }: BenchResult): string {
  const { load } = plan;
  const what = load.isWebSocket ? 'WebSocket echoes' : `${load.method} requests`;
  const pace = load.rate === undefined ? '' : ` at ${rateNumber(load.rate)} per second`;
  const when = `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const parts = [`${what}${pace}`, `${countText(load.concurrency)} connections`, when];
  return [...parts, ...(isInterrupted ? ['ended early'] : [])].join(' · ');
}

function tiles(result: WayResult | undefined): string {
  if (result === undefined) return '';
  const { figures } = result;
  const { latencyMs, failed } = figures;
  const time = (key: keyof LatencyFigures): string => (latencyMs === undefined ? '-' : timeText(latencyMs[key]));
  const tile = (value: string, label: string, isBad = false): string =>
    `<div class="tile"><b${isBad ? ' class="bad"' : ''}>${escaped(value)}</b><span>${escaped(label)}</span></div>`;
  return `<div class="tiles">${[
    tile(rateNumber(figures.requestsPerSecond), 'requests per second'),
    tile(time('p50'), 'p50 latency'),
    tile(time('p99'), 'p99 latency'),
    tile(
      countText(failed),
      `failed of ${countText(figures.requests)} (${percentText(failedShare(figures))})`,
      0 < failed,
    ),
  ].join('')}</div>`;
}

function section(title: string, note: string | undefined, content: string): string {
  const soft = note === undefined ? '' : `<p class="soft">${escaped(note)}</p>`;
  return `<section><h2>${escaped(title)}</h2>${soft}${content}</section>`;
}

function verdicts({ verdicts: all }: BenchResult): string {
  if (all.length === 0) return '';
  const items = all.map(({ assertion, holds, way, seenText }) => {
    const badge = holds ? '<span class="badge ok">holds</span>' : '<span class="badge no">fails</span>';
    const where = way === undefined ? '' : `${escaped(way)} · `;
    return `<li>${badge}<code>${escaped(assertion)}</code><span class="soft">${where}seen ${escaped(seenText)}</span></li>`;
  });
  return section('Verdict', undefined, `<ul class="verdicts">${items.join('')}</ul>`);
}

function scenario({ scenario: found }: BenchResult): string {
  if (found === undefined || found.rows.length === 0) return '';
  const rows = found.rows.map(({ label, value, note }) => {
    const soft = note === undefined ? '' : ` <span class="soft">${escaped(note)}</span>`;
    return `<dt>${escaped(label)}</dt><dd>${escaped(value)}${soft}</dd>`;
  });
  return section('What was found', undefined, `<dl>${rows.join('')}</dl>`);
}

function comparisonNote(results: readonly WayResult[]): string {
  const base = results.find(({ name }) => name === 'direct') ?? results[0];
  return `Ratios are to ${base?.name ?? 'the first'}.`;
}

/** What has no latencies, or no course, has no plot. */
function plots(results: readonly WayResult[]): string[] {
  const drawn = results.filter(({ figures }) => figures.latencyMs !== undefined);
  const timed = drawn.filter(({ figures }) => 2 < figures.timeline.length);
  return [
    drawn.length === 0
      ? ''
      : section(
          'Latency',
          'How many of a hundred requests were at least as fast: the further right, the rarer.',
          distributionChart(drawn),
        ),
    timed.length === 0 ? '' : section('Over time', undefined, timelineCharts(timed)),
  ];
}

function figureTable(results: readonly WayResult[]): string {
  const head = ['', 'requests', 'failed', 'req/s', 'avg', ...shownPercentiles.map(([label]) => label), 'in', 'out'];
  const rows = results.map(({ name, figures }) => `<tr><th scope="row">${escaped(name)}</th>${cells(figures)}</tr>`);
  const titles = head.map((title) => `<th scope="col">${title}</th>`).join('');
  return `<table><thead><tr>${titles}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function cells(figures: LoadFigures): string {
  const { latencyMs, failed } = figures;
  const time = (key: keyof LatencyFigures): string => (latencyMs === undefined ? '-' : timeText(latencyMs[key]));
  const cell = (text: string, isBad = false): string => `<td${isBad ? ' class="bad"' : ''}>${escaped(text)}</td>`;
  return [
    cell(countText(figures.requests)),
    cell(countText(failed), 0 < failed),
    cell(rateNumber(figures.requestsPerSecond)),
    cell(time('avg')),
    ...shownPercentiles.map(([, key]) => cell(time(key))),
    cell(`${bytesText(figures.bytesPerSecond.received)}/s`),
    cell(`${bytesText(figures.bytesPerSecond.sent)}/s`),
  ].join('');
}

function errors(results: readonly WayResult[]): string {
  const rows = results.flatMap(({ name, figures }) =>
    Object.entries(figures.errors).map(([kind, count]) => {
      const share = percentText(figures.requests === 0 ? 0 : count / figures.requests);
      return `<tr><th scope="row">${escaped(kind)}</th><td>${escaped(name)}</td><td>${countText(count)}</td><td>${share}</td></tr>`;
    }),
  );
  if (rows.length === 0) return '';
  const head =
    '<tr><th scope="col"></th><th scope="col">way</th><th scope="col">failed</th><th scope="col">of its requests</th></tr>';
  return section('Failures', undefined, `<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>`);
}
