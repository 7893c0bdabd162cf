import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { linearScale, logScale } from '../../../src/host/bench/report/chart-scale.ts';
import { reportPage } from '../../../src/host/bench/report/report-page.ts';
import { recordOf, resultOf, wayOf } from './result.ts';

const single = reportPage(resultOf([wayOf('url', recordOf(900, 12, 100))], {}, 'http://app.test/<script>?a=1&b="'));
const compared = reportPage(
  resultOf([wayOf('grpc', recordOf(500, 20)), wayOf('direct', recordOf(1000, 10))], { compare: 'grpc,direct' }),
);

describe('reportPage()', () => {
  it.each([
    ['one way', single],
    ['several ways', compared],
    ['a way without any success', reportPage(resultOf([wayOf('hybrid', recordOf(0, 0, 5))]))],
    ['nothing', reportPage(resultOf([]))],
  ])('needs nothing but itself, and no script, with %s', (_what, page) => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\ssrc=|\shref=|\sstyle=|\son[a-z]+=/i);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('allows its one style sheet by hash, and nothing else', () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(single)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(single).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    );
  });

  it('writes what comes from outside as text', () => {
    expect(single).toContain('<h1>http://app.test/%3Cscript%3E?a=1&amp;b=%22</h1>');
  });

  it('shows failures by kind with their share', () => {
    expect(single).toContain('<th scope="row">status-429</th><td>url</td><td>100</td><td>10%</td>');
  });

  it('compares with direct', () => {
    expect(compared).toContain('Ratios are to direct.');
    expect(compared).toContain('>500<tspan class="note" dx="8">0.50x</tspan>');
  });

  it('S7 shows no value of a header', () => {
    expect(single + compared).not.toContain('hunter2');
  });
});

describe('scales', () => {
  it.each([
    [0, [0, 0.5]],
    [7, [0, 2, 4, 6, 8]],
    [100, [0, 50, 100]],
    [1234, [0, 500, 1000, 1500]],
    [0.03, [0, 0.01, 0.02, 0.03]],
  ])('a linear one up to %d has round labels that reach it', (max, ticks) => {
    const scale = linearScale(max);
    expect(scale.ticks).toEqual(ticks);
    expect(scale.at(scale.ticks.at(-1) ?? 0)).toBeCloseTo(1);
  });

  it('a logarithmic one begins and ends at round values, with labels at powers of ten', () => {
    const scale = logScale(0.7, 180);
    expect(scale.ticks).toEqual([1, 10, 100]);
    expect([scale.at(0.5), scale.at(200)]).toEqual([0, expect.closeTo(1)]);
    expect(scale.at(0)).toBe(0);
  });
});
