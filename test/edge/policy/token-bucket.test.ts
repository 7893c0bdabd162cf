import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/edge/policy/token-bucket.ts';

function taken(bucket: TokenBucket, times: number, nowMs: number): number {
  let count = 0;
  for (let time = 0; time < times; time += 1) if (bucket.take(nowMs)) count += 1;
  return count;
}

describe('TokenBucket', () => {
  it('P1 lets exactly 600 of 1,000 requests of one moment pass at 600 per minute', () => {
    expect(taken(new TokenBucket(600, 0, 0), 1000, 0)).toBe(600);
  });

  it('P1 lets exactly what is full and what fills pass when 1,000 requests come evenly over a minute', () => {
    const bucket = new TokenBucket(600, 0, 0);
    let passed = 0;
    for (let request = 0; request < 1000; request += 1) if (bucket.take(request * 60)) passed += 1;
    // 1,000 requests in 59.94 s; 600 were there and 599.4 come by: none is refused.
    expect(passed).toBe(1000);
    expect(bucket.tokens).toBe(199);
  });

  it('lets the burst pass on top, and in the long run no more than the rate', () => {
    const bucket = new TokenBucket(60, 10, 0);
    expect(taken(bucket, 1000, 0)).toBe(70);
    expect(taken(bucket, 1000, 999)).toBe(0);
    expect(taken(bucket, 1000, 1000)).toBe(1);
    expect(taken(bucket, 1000, 31_000)).toBe(30);
  });

  it('counts every millisecond of filling, in whatever steps the clock is read', async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 300 });
    await fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), steps, (rpm, ticks) => {
        const bucket = new TokenBucket(rpm, 0, 0);
        const start = taken(bucket, rpm, 0);
        let nowMs = 0;
        let passed = 0;
        for (const tick of ticks) {
          nowMs += tick;
          passed += taken(bucket, Math.ceil((rpm * 50) / 60_000) + 1, nowMs);
        }
        expect(start).toBe(rpm);
        expect(passed).toBe(Math.floor((rpm * nowMs) / 60_000));
      }),
    );
  });

  it('says how long it takes until a token is there, and until it is full', () => {
    const bucket = new TokenBucket(60, 0, 0);
    taken(bucket, 60, 0);
    expect([bucket.take(0), bucket.waitMs, bucket.fullInMs]).toEqual([false, 1000, 60_000]);
    expect([bucket.take(400), bucket.waitMs]).toEqual([false, 600]);
    expect([bucket.take(1000), bucket.waitMs, bucket.tokens]).toEqual([true, 1000, 0]);
  });

  it('keeps what was spent when its limit changes', () => {
    const bucket = new TokenBucket(100, 0, 0);
    taken(bucket, 30, 0);
    bucket.change(50, 0);
    expect(taken(bucket, 1000, 0)).toBe(20);
    bucket.change(100, 0);
    expect(taken(bucket, 1000, 0)).toBe(50);
  });

  it('does not care about a clock that stands still or goes back', () => {
    const bucket = new TokenBucket(60, 0, 5000);
    taken(bucket, 60, 5000);
    expect([bucket.take(4000), bucket.take(5999), bucket.take(6000)]).toEqual([false, false, true]);
  });
});
