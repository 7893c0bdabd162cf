import { describe, expect, it } from 'vitest';
import { firstPathBytes, minPathBytes, PathWindow } from '../../src/protocol/path-window.ts';

const kib = 1024;
const mib = 1024 * kib;

/** A path as it is at some time. */
interface Path {
  /** Octets per millisecond. */
  readonly pace: number;
  readonly roundTripMs: number;
}

/** What a sender that always has more made of a path. */
interface Passage {
  readonly window: PathWindow;
  /** Octets that arrived per millisecond, and how long the last of them took there and back, in the second half. */
  readonly pace: number;
  readonly longestMs: number;
}

/** Sends over a path as much as the window lets, for so long; all octets stand in one line of any length. */
function pass(durationMs: number, pathAt: (ms: number) => Path, window = new PathWindow()): Passage {
  const line: { bytes: number; probe: number | undefined }[] = [];
  const answers: { number: number; atMs: number }[] = [];
  let sentBytes = 0;
  let arrivedBytes = 0;
  let longestMs = 0;
  const sentAt = new Map<number, number>();
  window.noteRoundTrip(pathAt(0).roundTripMs);
  for (let ms = 0; ms < durationMs; ms += 1) {
    const { pace, roundTripMs } = pathAt(ms);
    while (answers[0] !== undefined && answers[0].atMs <= ms) {
      const { number } = answers.shift() ?? { number: 0 };
      if (ms * 2 >= durationMs) longestMs = Math.max(longestMs, ms - (sentAt.get(number) ?? ms));
      window.answered(number, ms);
    }
    for (;;) {
      const room = window.roomBytes(sentBytes);
      const probe = window.wantsProbe(sentBytes) ? window.probe(sentBytes, ms) : undefined;
      if (probe !== undefined) sentAt.set(probe, ms);
      if (room === 0 && probe === undefined) break;
      const bytes = Math.min(room, 16 * kib);
      line.push({ bytes, probe });
      sentBytes += bytes;
    }
    let left = pace;
    while (line[0] !== undefined && left > 0) {
      const [first] = line;
      if (first.probe !== undefined) answers.push({ number: first.probe, atMs: ms + roundTripMs });
      const bytes = Math.min(left, first.bytes);
      left -= bytes;
      if (ms * 2 >= durationMs) arrivedBytes += bytes;
      if (bytes === first.bytes) line.shift();
      else line[0] = { bytes: first.bytes - bytes, probe: undefined };
    }
  }
  return { window, pace: arrivedBytes / (durationMs / 2), longestMs };
}

describe('PathWindow', () => {
  it('H14 lets octets stand in line for little more than 50 ms on a slow path, and keeps it full', () => {
    const { pace, longestMs } = pass(20_000, () => ({ pace: 1000, roundTripMs: 6 }));
    expect(pace).toBeGreaterThan(950);
    expect(longestMs).toBeLessThan(100);
  });

  it.each([
    ['a line at home', { pace: 5000, roundTripMs: 15 }],
    ['a mobile one', { pace: 2500, roundTripMs: 60 }],
    ['another continent', { pace: 12_500, roundTripMs: 180 }],
    ['a long way at a gigabit', { pace: 125_000, roundTripMs: 100 }],
  ])('fills %s', (_where, path) => {
    const { pace, longestMs } = pass(20_000, () => path);
    expect(pace).toBeGreaterThan(path.pace * 0.95);
    expect(longestMs).toBeLessThan(3 * path.roundTripMs + 80);
  });

  it('does not get in the way of a fast path', () => {
    const { window, pace } = pass(2000, () => ({ pace: 400_000, roundTripMs: 1 }));
    expect(pace).toBeGreaterThan(390_000);
    expect(window.limitBytes).toBeGreaterThan(8 * mib);
  });

  it('follows a path that becomes slower, and faster again', () => {
    const { window, pace } = pass(20_000, (ms) => ({ pace: ms < 4000 ? 10_000 : 1000, roundTripMs: 20 }));
    expect(pace).toBeGreaterThan(950);
    expect(window.limitBytes).toBeLessThan(200 * kib);
    const after = pass(8000, () => ({ pace: 10_000, roundTripMs: 20 }), new PathWindow());
    expect(after.pace).toBeGreaterThan(9500);
  });

  it.each([3, 20])('fills a path that becomes %s times as long', (times) => {
    const { pace } = pass(60_000, (ms) => ({ pace: 5000, roundTripMs: ms < 5000 ? 20 : 20 * times }));
    expect(pace).toBeGreaterThan(5000 * 0.9);
  });

  it('has a window while little is sent, and probes all the same', () => {
    const window = new PathWindow();
    expect(window.wantsProbe(1)).toBe(false);
    expect(window.wantsProbe(minPathBytes)).toBe(true);
    window.answered(window.probe(minPathBytes, 0), 5000);
    expect(window.limitBytes).toBe(firstPathBytes);
    expect(window.roomBytes(minPathBytes)).toBe(firstPathBytes);
  });

  it('sends a probe where nothing else may be sent, and only one', () => {
    const window = new PathWindow();
    window.answered(window.probe(0, 0), 1);
    expect(window.roomBytes(firstPathBytes)).toBe(0);
    const probe = window.probe(firstPathBytes, 2);
    expect(window.wantsProbe(firstPathBytes)).toBe(false);
    window.answered(probe, 3);
    expect(window.roomBytes(firstPathBytes)).toBeGreaterThan(0);
  });

  it('takes no answer for a probe that it did not send', () => {
    const window = new PathWindow();
    const probe = window.probe(firstPathBytes, 0);
    window.answered(probe + 1, 1);
    expect(window.roomBytes(firstPathBytes)).toBe(0);
    window.answered(probe, 2);
    window.answered(probe, 3);
    expect(window.roomBytes(firstPathBytes)).toBeGreaterThan(0);
  });
});
