import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeepAlive } from '../../src/tunnel/keep-alive.ts';

const intervalMs = 10_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  // The fake clock replaces the global performance only, not the one of node:perf_hooks.
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A keep-alive, the pings it sent, the round trips it told of and whether it gave its peer up. */
function createKeepAlive(): { keepAlive: KeepAlive; pings: Buffer[]; deaths: number[]; roundTripsMs: number[] } {
  const pings: Buffer[] = [];
  const deaths: number[] = [];
  const roundTripsMs: number[] = [];
  const keepAlive = new KeepAlive({
    sendPing: (payload) => void pings.push(payload),
    onRoundTrip: (roundTripMs) => void roundTripsMs.push(roundTripMs),
    onDead: () => void deaths.push(Date.now()),
  });
  return { keepAlive, pings, deaths, roundTripsMs };
}

/** As {@link createKeepAlive}, already started. */
function startKeepAlive(): ReturnType<typeof createKeepAlive> {
  const made = createKeepAlive();
  made.keepAlive.start(intervalMs);
  return made;
}

/** Answers the latest ping after `delayMs`. */
function answer({ keepAlive, pings }: ReturnType<typeof createKeepAlive>, delayMs: number): void {
  vi.advanceTimersByTime(delayMs);
  keepAlive.answered(pings.at(-1) ?? Buffer.alloc(0));
}

/** The process stands still: time passes, no timer runs; then the timer that is due runs once. */
function standStill(durationMs: number): void {
  vi.setSystemTime(Date.now() + durationMs);
  vi.advanceTimersToNextTimer();
}

describe('KeepAlive', () => {
  it('pings four times in a row and then at the interval, with payloads of 8 octets that differ', () => {
    const made = startKeepAlive();
    expect(made.pings).toHaveLength(1);
    for (let count = 1; count <= 4; count += 1) answer(made, 1);
    expect(made.pings).toHaveLength(4);
    vi.advanceTimersByTime(intervalMs - 5);
    expect(made.pings).toHaveLength(4);
    vi.advanceTimersByTime(1);
    expect(made.pings).toHaveLength(5);
    expect(new Set(made.pings.map((payload) => payload.toString('hex')))).toHaveProperty('size', 5);
    expect(made.pings.every(({ length }) => length === 8)).toBe(true);
  });

  it('gives a silent peer up after two intervals, not before, once', () => {
    const { deaths } = startKeepAlive();
    vi.advanceTimersByTime(2 * intervalMs - 1);
    expect(deaths).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(deaths).toHaveLength(1);
    vi.advanceTimersByTime(10 * intervalMs);
    expect(deaths).toHaveLength(1);
  });

  it('gives a peer up that falls silent later, two intervals after its last answer was due', () => {
    const made = startKeepAlive();
    for (let count = 0; count < 5; count += 1) {
      answer(made, 100);
      vi.advanceTimersByTime(intervalMs - 100);
    }
    vi.advanceTimersByTime(2 * intervalMs - 1);
    expect(made.deaths).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(made.deaths).toHaveLength(1);
  });

  it('keeps a peer whose answers always come late, but come', () => {
    const made = startKeepAlive();
    for (let count = 0; count < 20; count += 1) answer(made, intervalMs * 1.4);
    expect(made.deaths).toEqual([]);
  });

  it('counts an answer to an older ping as life', () => {
    const { keepAlive, pings, deaths } = startKeepAlive();
    vi.advanceTimersByTime(1.9 * intervalMs);
    keepAlive.answered(pings[0] ?? Buffer.alloc(0));
    vi.advanceTimersByTime(1.9 * intervalMs);
    expect(deaths).toEqual([]);
  });

  it('tells of the round trip of each ping that was answered, and of none for an answer to an older one', () => {
    const made = startKeepAlive();
    answer(made, 7);
    answer(made, 30);
    made.keepAlive.answered(made.pings[0] ?? Buffer.alloc(0));
    expect(made.roundTripsMs).toEqual([7, 30]);
  });

  it('gives the peer another two intervals after the process itself stood still', () => {
    const { deaths } = startKeepAlive();
    vi.advanceTimersByTime(intervalMs);
    standStill(300_000);
    expect(deaths).toEqual([]);
    vi.advanceTimersByTime(2 * intervalMs - 1);
    expect(deaths).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(deaths).toHaveLength(1);
  });

  it('is overdue when an answer is missing for more than half the interval', () => {
    const { keepAlive, pings } = startKeepAlive();
    vi.advanceTimersByTime(intervalMs / 2);
    expect(keepAlive.isOverdue).toBe(false);
    vi.advanceTimersByTime(1);
    expect(keepAlive.isOverdue).toBe(true);
    keepAlive.answered(pings[0] ?? Buffer.alloc(0));
    expect(keepAlive.isOverdue).toBe(false);
  });

  it('is not overdue before it was started', () => {
    const { keepAlive } = createKeepAlive();
    vi.advanceTimersByTime(intervalMs);
    expect(keepAlive.isOverdue).toBe(false);
  });

  it('does nothing after it was stopped, also when it never started', () => {
    const made = startKeepAlive();
    made.keepAlive.stop();
    createKeepAlive().keepAlive.stop();
    vi.advanceTimersByTime(10 * intervalMs);
    expect([made.pings.length, made.deaths.length, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  it('assumes a path of 50 ms, then takes the shortest of the latest 8 round trips', () => {
    const made = startKeepAlive();
    expect(made.keepAlive.roundTripMs).toBe(50);
    const roundTripsMs = [300, 80, 90, 100, 110, 120, 130, 140, 150, 160];
    const seen = roundTripsMs.map((roundTripMs) => {
      answer(made, roundTripMs);
      const { roundTripMs: shortest } = made.keepAlive;
      vi.advanceTimersByTime(intervalMs - roundTripMs);
      return shortest;
    });
    expect(seen).toEqual([300, 80, 80, 80, 80, 80, 80, 80, 80, 90]);
  });

  it('does not measure the path by answers to older pings, or to none', () => {
    const { keepAlive, pings } = startKeepAlive();
    vi.advanceTimersByTime(intervalMs + 1);
    keepAlive.answered(pings[0] ?? Buffer.alloc(0));
    keepAlive.answered(Buffer.alloc(8, 0xff));
    keepAlive.answered(Buffer.alloc(0));
    keepAlive.answered(Buffer.alloc(7));
    expect(keepAlive.roundTripMs).toBe(50);
  });

  it('does not let a peer lengthen the path by repeating an answer', () => {
    const made = startKeepAlive();
    answer(made, 20);
    for (let count = 0; count < 20; count += 1) answer(made, 200);
    expect(made.keepAlive.roundTripMs).toBe(20);
  });
});
