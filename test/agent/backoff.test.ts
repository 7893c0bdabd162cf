import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, defaultBackoff, delay } from '../../src/agent/backoff.ts';

describe('backoffMs()', () => {
  it('doubles its bound with each failure, from the first to the longest delay', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6, 2000].map((failures) => backoffMs(failures, defaultBackoff, 1));
    expect(bounds).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is full jitter: anything from 0 to the bound', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        const delayMs = backoffMs(failures, defaultBackoff, random);
        return delayMs === Math.round(backoffMs(failures, defaultBackoff, 1) * random);
      }),
    );
    expect(backoffMs(3, defaultBackoff, 0)).toBe(0);
  });

  it('brings 1,000 agents that lost the same edge back at no more than 3 times the mean rate', () => {
    const bins = Array.from({ length: 10 }, () => 0);
    for (let agent = 0; agent < 1000; agent += 1) {
      const bin = Math.min(9, Math.floor(backoffMs(0, defaultBackoff, Math.random()) / 100));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(Math.max(...bins)).toBeLessThan(300);
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
