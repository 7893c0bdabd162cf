import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../src/protocol/arrivals.ts';
import { CreditPool, minWindowBytes, ReceiveWindow } from '../../src/protocol/receive-window.ts';

const much = 16 * 1024;

describe('Arrivals', () => {
  it('knows of what is more urgent alone, and only of much', () => {
    const arrivals = new Arrivals();
    arrivals.watch();
    arrivals.note(3, much - 1, 0);
    expect(arrivals.isBusyAbove(7, 0)).toBe(false);
    arrivals.note(3, 1, 10);
    expect([2, 3, 4, 7].map((urgency) => arrivals.isBusyAbove(urgency, 10))).toEqual([false, false, true, true]);
  });

  it('remembers it for at least 50 ms and at most 100', () => {
    const arrivals = new Arrivals();
    arrivals.watch();
    arrivals.note(0, much, 49);
    expect([50, 99, 100].map((nowMs) => arrivals.isBusyAbove(1, nowMs))).toEqual([true, true, false]);
    arrivals.note(0, much, 200);
    expect(arrivals.isBusyAbove(1, 300)).toBe(false);
  });

  it('counts nothing as long as all are equal', () => {
    const arrivals = new Arrivals();
    arrivals.note(0, much, 0);
    expect(arrivals.isBusyAbove(7, 0)).toBe(false);
  });
});

describe('the window of a less urgent stream', () => {
  it('H14 shrinks to the minimum while much arrives for a more urgent one, and is whole again behind that', () => {
    const pool = new CreditPool();
    const size = 1024 * 1024;
    const usual = new ReceiveWindow(pool, size, 0);
    const urgent = new ReceiveWindow(pool, size, 0);
    urgent.prioritize(0);
    urgent.received(much, 0);
    expect(urgent.consumed(much, 0, 1)).toBe(0);

    usual.received(size, 1);
    expect(usual.consumed(size, 1, 1)).toBe(minWindowBytes);
    usual.received(minWindowBytes, 700);
    expect(usual.consumed(minWindowBytes, 700, 1)).toBe(size);
  });
});
