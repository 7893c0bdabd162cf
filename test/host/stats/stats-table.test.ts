import { describe, expect, it } from 'vitest';
import { type StatsReading, type TunnelReading, totalsOf } from '../../../src/host/stats/stats-reading.ts';
import { type StatsLayout, statsLines } from '../../../src/host/stats/stats-table.ts';
import { StatsCourse } from '../../../src/host/stats/stats-watch.ts';
import { ExchangeTally } from '../../../src/telemetry/exchange-tally.ts';

function tunnel(domain: string, requests: number, rest: Partial<TunnelReading> = {}): TunnelReading {
  const tally = new ExchangeTally();
  for (let sent = 0; sent < requests; sent += 1) {
    tally.began();
    const error = sent === 0 ? { code: 'GIR_ERR_ORIGIN_CLOSED' as const } : undefined;
    const end = {
      error,
      transport: 'grpc',
      durationMs: 5,
      requestBytes: 1,
      responseBytes: 2048,
      isRelay: false,
    } as const;
    tally.ended(end, false, 0);
  }
  return { domain, ...tally.read(0), ...rest };
}

function reading(tunnels: readonly TunnelReading[], second = 0): StatsReading {
  return {
    from: 'edge',
    sources: ['http://127.0.0.1:8080'],
    startedAt: '2026-01-01T00:00:00.000Z',
    takenAt: `2026-01-01T00:01:0${second}.000Z`,
    totals: totalsOf(tunnels),
    tunnels,
  };
}

const plain: StatsLayout = { columns: 80, strong: (text) => text, alarming: (text) => text };
const app = tunnel('app.example.com', 1200, { sessions: 2, breaker: 'open' });
const longName = tunnel(`${'a'.repeat(60)}.example.com`, 1, { sessions: 0 });

describe('statsLines()', () => {
  it.each([40, 58, 59, 60, 61, 62, 80, 100, 131, 132, 160, 200])(
    'O6 has no line longer than a terminal of %i columns',
    (columns) => {
      const lines = statsLines(reading([app, longName]), { ...plain, columns });
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    },
  );

  it('O2 shows every figure of a tunnel, as a block or as a row', () => {
    for (const columns of [80, undefined]) {
      const text = statsLines(reading([app]), { ...plain, columns }).join('\n');
      for (const figure of [
        '1,200',
        '1,199',
        '2.5 MB',
        '5.0 ms',
        '100%',
        '2 agents, breaker open',
        'GIR_ERR_ORIGIN_CLOSED 1',
      ])
        expect(text).toContain(figure);
    }
  });

  it('O6 shortens no domain that has room, and takes shorter heads before it does', () => {
    const name = 'able-camel-291.tunnels.example.com';
    const of = (columns: number | undefined, domain = name) =>
      statsLines(reading([tunnel(domain, 5)]), { ...plain, columns }).join('\n');
    expect(of(160)).toMatch(/^DOMAIN +REQUESTS +RESPONSES/m);
    expect(of(120)).toMatch(/^DOMAIN +REQS +RESP/m);
    for (const columns of [160, 120, 80]) expect(of(columns)).toContain(name);
    expect(of(undefined, longName.domain)).toContain(longName.domain);
  });

  it('marks errors alone as trouble, and only where there are some', () => {
    const layout = { ...plain, alarming: (text: string) => `<${text}>` };
    const fine = tunnel('b.test', 0);
    for (const columns of [80, 160]) {
      const lines = statsLines(reading([app, fine]), { ...layout, columns });
      const marked = lines.flatMap((line) => line.match(/<[^>]*>/g) ?? []);
      expect(new Set(marked)).toEqual(new Set([columns === 80 ? '<errors 1>' : '<1>']));
    }
  });

  it('O6 hands a style one text and nothing else: some write all that they are given', () => {
    const style = (...texts: unknown[]) => texts.join(' ');
    const missing = { ...reading([app]), from: 'agents', silent: ['process 7'] } as const;
    for (const columns of [80, 160]) {
      const layout = { ...plain, columns };
      expect(statsLines(missing, { ...layout, strong: style, alarming: style })).toEqual(statsLines(missing, layout));
    }
  });

  it('says what to do when there is no tunnel', () => {
    expect(statsLines(reading([]), plain).join('\n')).toContain('`giraffe tunnel PORT` opens one');
  });

  it('security, log injection: shows nothing from elsewhere as it is', () => {
    const lines = statsLines(reading([tunnel('a\u001b[31m.test', 1)]), plain);
    expect(lines.join('\n')).not.toContain('\u001b');
  });
});

describe('StatsCourse', () => {
  it('tells rates between looks, and starts anew with whoever was started anew', () => {
    const course = new StatsCourse();
    course.add(reading([tunnel('a.test', 10)], 0));
    expect(course.rates.all).toBe(0);
    const second = reading([tunnel('a.test', 30)], 2);
    course.add(second);
    expect([course.rates.all, course.rates.of(tunnel('a.test', 30))]).toEqual([10, 10]);
    course.add(reading([tunnel('a.test', 4)], 4));
    expect(course.rates.all).toBe(2);
    expect(course.lines(80)).toEqual(['req/s        2.0  █▂', 'p99       5.0 ms  ██']);
  });

  it('hardening, bounded: remembers no more looks than a line has room for', () => {
    const course = new StatsCourse();
    for (let look = 0; look < 500; look += 1) course.add(reading([tunnel('a.test', 1)], look % 10));
    expect(Math.max(...course.lines(1000).map((line) => line.length))).toBeLessThan(160);
  });
});
