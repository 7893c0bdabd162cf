import { describe, expect, it } from 'vitest';
import { noExcuse } from '../../soak/excuse.ts';
import type { Failure } from '../../soak/failure.ts';
import { Ledger, type WorkEntry } from '../../soak/ledger.ts';

const refused: Failure = { kind: 'refused' };
const dead = { ...noExcuse, edge: 'dies' } as const;

function entry(failure?: Failure): WorkEntry {
  return { work: 'GET', host: 'a', isRepeatable: true, beganMs: performance.now(), failure };
}

describe('Ledger', () => {
  it('takes a failure without a disturbance for a problem, and tells it at once', () => {
    const told: string[] = [];
    const ledger = new Ledger((text) => told.push(text));
    ledger.enter(entry(refused));
    expect(ledger.problems).toEqual([expect.stringContaining('GET on a failed')]);
    expect(told).toEqual(ledger.problems);
    expect(ledger.counts.get('GET')).toEqual({ right: 0, excused: 0, unexplained: 1 });
  });

  it('excuses work that met the disturbance, also if it ends later, and no other', () => {
    const ledger = new Ledger(() => {});
    const window = ledger.open('kill -9 edge', dead);
    const met = entry(refused);
    ledger.close(window);
    ledger.enter(met);
    expect(ledger.problems).toEqual([]);
    expect(window.excused).toEqual(new Map([['refused', 1]]));
    ledger.enter({ ...entry(refused), beganMs: (window.endedMs ?? 0) + 1 });
    expect(ledger.problems).toEqual([expect.stringContaining('in quiet')]);
  });

  it('takes a failure that the disturbance does not explain for a problem', () => {
    const ledger = new Ledger(() => {});
    ledger.open('SIGSTOP agent', noExcuse);
    ledger.enter(entry(refused));
    expect(ledger.problems).toEqual([expect.stringContaining('during SIGSTOP agent: refused')]);
  });

  it('waits for work that began from now on', async () => {
    const ledger = new Ledger(() => {});
    const before = { ...entry(), beganMs: performance.now() - 1 };
    let isOver = false;
    const waiting = ledger.more(1).then(() => {
      isOver = true;
    });
    ledger.enter(before);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    ledger.enter(entry());
    await waiting;
  });
});
