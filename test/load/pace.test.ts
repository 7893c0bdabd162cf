import { describe, expect, it } from 'vitest';
import { closedLoop, openLoop, type Pace } from '../../src/load/pace.ts';

function takeAll(pace: Pace, nowMs: number): number[] {
  const starts: number[] = [];
  for (let start = pace.take(nowMs); start !== undefined; start = pace.take(nowMs)) starts.push(start);
  return starts;
}

describe('a closed loop', () => {
  it('gives a request to whoever asks, up to the number', () => {
    const pace = closedLoop(0, { maxRequests: 3, untilMs: undefined });
    expect(takeAll(pace, 7)).toEqual([7, 7, 7]);
    expect(pace.isOver(8)).toBe(true);
    expect(pace.progress(8)).toBe(1);
  });

  it('gives none from the end of its time on', () => {
    const pace = closedLoop(0, { maxRequests: undefined, untilMs: 100 });
    expect(pace.take(99)).toBe(99);
    expect(pace.take(100)).toBeUndefined();
    expect([pace.isOver(99), pace.isOver(100)]).toEqual([false, true]);
  });

  it('ends by what comes first', () => {
    const pace = closedLoop(0, { maxRequests: 2, untilMs: 100 });
    expect(takeAll(pace, 50)).toHaveLength(2);
    expect(pace.isOver(51)).toBe(true);
  });
});

describe('an open loop', () => {
  it('gives requests by the timetable, late ones with their intended start', () => {
    const pace = openLoop(1000, 100, { maxRequests: undefined, untilMs: 2000 });
    expect(takeAll(pace, 1000)).toEqual([1000]);
    expect(pace.waitMs(1004)).toBe(6);
    expect(takeAll(pace, 1035)).toEqual([1010, 1020, 1030]);
    expect(pace.overdue(1055)).toBe(2);
  });

  it('has exactly rate times duration requests, however late they are taken', () => {
    const pace = openLoop(0, 50, { maxRequests: undefined, untilMs: 2000 });
    expect(takeAll(pace, 60_000)).toHaveLength(100);
    expect(pace.isOver(60_000)).toBe(true);
    expect(pace.waitMs(60_000)).toBeUndefined();
  });

  it('is not over while requests that are due wait for a connection', () => {
    const pace = openLoop(0, 10, { maxRequests: undefined, untilMs: 1000 });
    expect(pace.isOver(5000)).toBe(false);
    takeAll(pace, 5000);
    expect(pace.isOver(5000)).toBe(true);
  });
});
