import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, defaultBackoff, delay } from '../../src/agent/backoff.ts';

describe('backoffMs()', () => {
  it('has a bound as long as the trouble, from the first to the longest delay', () => {
    const bounds = [0, 999, 1001, 7000, 30_001, 3_600_000].map((elapsed) => backoffMs(elapsed, defaultBackoff, 1));
    expect(bounds).toEqual([1000, 1000, 1001, 7000, 30_000, 30_000]);
  });

  it('is full jitter: anything from 0 to the bound', () => {
    fc.assert(
      fc.property(fc.nat(50_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (elapsed, random) => {
        const delayMs = backoffMs(elapsed, defaultBackoff, random);
        return delayMs === Math.round(backoffMs(elapsed, defaultBackoff, 1) * random);
      }),
    );
    expect(backoffMs(3, defaultBackoff, 0)).toBe(0);
  });
});

describe('delay()', () => {
  it('ends early, and leaves nothing behind, when its signal is aborted', async () => {
    const controller = new AbortController();
    const waiting = delay(60_000, controller.signal);
    controller.abort();
    await waiting;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await delay(60_000, controller.signal);
  });
});
