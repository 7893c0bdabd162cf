import { describe, expect, it } from 'vitest';
import Bench from '../../src/commands/bench.ts';
import { benchScenarios } from '../../src/config/bench-settings.ts';
import { judge, parseAssertions } from '../../src/load/assertion.ts';
import { failureKinds } from '../../src/load/failure-kind.ts';
import { loadFigures } from '../../src/load/load-figures.ts';
import { LoadRecord } from '../../src/load/load-record.ts';
import { type MetricSource, metricNames } from '../../src/load/metrics.ts';
import { readText } from '../support/repository.ts';

const alone = { ways: [], scenario: undefined };

/** 90 good answers of 1 to 90 ms, 10 answers with status 503, 1 MB received, in 2 s. */
function source(extra: Readonly<Record<string, number>> = {}): MetricSource {
  const record = new LoadRecord();
  record.begin(0);
  for (let ms = 1; ms <= 90; ms += 1) record.succeed(ms, ms, 200);
  for (let count = 0; count < 10; count += 1) record.fail(100, 'status-503', 503);
  record.traffic.receivedBytes = 1_000_000;
  record.end(2000);
  return { figures: loadFigures(record), percentileMs: (place) => record.latencies.percentileMs(place), extra };
}

function holds(text: string, extra: Readonly<Record<string, number>> = {}, scenario?: string): boolean[] {
  return parseAssertions(text, { ways: [], scenario }).map(
    (assertion) => judge(assertion, source(extra), undefined).holds,
  );
}

describe('docs/bench.md', () => {
  const page = readText('docs/bench.md');

  it('has every metric, and the help of the command has the plain ones', () => {
    for (const scenario of [undefined, ...benchScenarios]) {
      for (const name of metricNames(scenario)) expect(page).toContain(name);
    }
    for (const name of metricNames(undefined)) expect(Bench.description).toContain(name);
  });

  it('has every kind of failure with its meaning', () => {
    for (const [kind, meaning] of Object.entries(failureKinds)) {
      expect(page.replaceAll(/`(--timeout|ulimit -n)`/g, '$1')).toContain(`| \`${kind}\` | ${meaning} |`);
    }
  });

  it('has only units that the metric takes', () => {
    const table = page.slice(page.indexOf('| metric | units |'), page.indexOf('Latencies are known'));
    const rows = [...table.matchAll(/^\| `([a-z-]+)`[^|]* \| ([^|]+) \| [^|]+ \|$/gm)];
    const scenarioOf = (name: string) => benchScenarios.find((scenario) => metricNames(scenario).includes(name));
    const tried = rows.flatMap(([, name = '', units = '']) =>
      units
        .split(/,? or |, /)
        .map((unit) => (unit === 'none' ? '' : unit))
        .flatMap((unit) => parseAssertions(`${name}<1${unit}`, { ways: [], scenario: scenarioOf(name) })),
    );
    expect(tried.length).toBeGreaterThan(30);
  });
});

describe('parseAssertions() and judge()', () => {
  it.each([
    ['requests==100, succeeded=90, failed==10', [true, true, true]],
    ['failed<11, failed<10, failed<=10, failed>9, failed>=11, failed!=10', [true, false, true, true, false, false]],
    ['failed<=10%, failed<10%', [true, false]],
    ['p50<=45.1ms, p50 < 0.05s, p99.9 > 89000us', [true, true, true]],
    ['max==90ms, min==1ms, avg==45.5ms', [true, true, true]],
    ['rps>=45req/s, rps>45, rps<1k', [true, false, true]],
    ['received==1MB, download==500kB/s, upload<1MiB/s', [true, true, true]],
    ['status.200==90, status.5xx==10, status.4xx==0', [true, true, true]],
    ['errors.status-503==10, errors.timeout==0', [true, true]],
  ])('%s', (text, expected) => {
    expect(holds(text)).toEqual(expected);
  });

  it('knows the metrics of the scenario that runs, and only those', () => {
    expect(holds('ratio<2x, ratio<=1.5', { ratio: 1.5 }, 'head-of-line')).toEqual([true, true]);
    expect(() => parseAssertions('ratio<2', alone)).toThrow(expect.objectContaining({ code: 'GIR_ERR_USAGE' }));
  });

  it('takes a way of a comparison in front', () => {
    const scope = { ways: ['grpc', 'direct'], scenario: undefined };
    const parsed = parseAssertions('grpc.p99<1s,p50<1s', scope);
    expect(parsed.map(({ way, text }) => ({ way, text }))).toEqual([
      { way: 'grpc', text: 'grpc.p99<1s' },
      { way: undefined, text: 'p50<1s' },
    ]);
  });

  it('holds nothing true of latencies when nothing succeeded', () => {
    const record = new LoadRecord();
    const nothing = { figures: loadFigures(record), percentileMs: () => undefined, extra: {} };
    const verdicts = parseAssertions('p99<1s,avg>0ms', alone).map((each) => judge(each, nothing, undefined));
    expect(verdicts).toEqual([
      expect.objectContaining({ holds: false, seen: undefined, seenText: 'nothing' }),
      expect.objectContaining({ holds: false }),
    ]);
  });

  it.each([
    ['', 'at its end: a metric is expected'],
    ['p99', 'at its end: <= >= == != < > = is expected'],
    ['p99<', 'at its end: a number is expected, such as 50ms'],
    ['p99<50', 'at character 5 ("50"): p99 needs a unit; accepted are us, µs, ms, s, m'],
    ['failed==0,p99<50%', 'at character 15 ("50%"): p99 is not measured in %'],
    ['p99<50ms failed==0', 'at character 10 ("failed==0"): a comma or the end is expected'],
    ['p99<50ms,', 'at its end: a metric is expected'],
    ['p99=>50ms', 'at character 5 (">50ms"): a number is expected'],
    ['latency<5ms', 'at character 1 ("latency<5ms"): there is no metric latency; there are requests,'],
    ['p100<5ms', 'there is no metric p100'],
    ['p0<5ms', 'there is no metric p0'],
    ['status.6xx==0', 'there is no metric status.6xx'],
    ['constructor==0', 'there is no metric constructor'],
    ['failed==-1', 'at character 9 ("-1"): a number is expected'],
    ['rps>5constructor', 'rps is not measured in constructor'],
  ])('refuses %j and names the place', (text, message) => {
    expect(() => parseAssertions(text, alone)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });
});
