import { describe, expect, it } from 'vitest';
import { bytesInCompany, Company } from '../../src/protocol/company.ts';
import { CreditPool, initialWindowBytes, ReceiveWindow } from '../../src/protocol/receive-window.ts';

const kib = 1024;

describe('Company', () => {
  it('is nobody for the stream that began last, however many began before', () => {
    const company = new Company();
    company.join(0);
    const latest = company.join(1);
    expect(company.isWith(latest, 1)).toBe(false);
  });

  it('is whoever began later, for half a second', () => {
    const company = new Company();
    const first = company.join(0);
    company.join(1000);
    expect(company.isWith(first, 1499)).toBe(true);
    expect(company.isWith(first, 1500)).toBe(false);
  });

  it('leaves 128 KiB under way on a short path, and 64 MB/s on a long one', () => {
    expect(bytesInCompany(0.3)).toBe(128 * kib);
    expect(bytesInCompany(80)).toBe(80 * 64 * kib);
  });
});

describe('the window of a transfer', () => {
  /** Lets the transfer go on from 0 ms, a chunk each millisecond, and returns its credit under way at the end. */
  function creditAfter(
    milliseconds: number,
    roundTripMs: number,
    beside: (ms: number, pool: CreditPool) => void,
  ): number {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, initialWindowBytes, 0);
    let credit = initialWindowBytes;
    for (let ms = 0; ms < milliseconds; ms += 1) {
      beside(ms, pool);
      const bytes = Math.min(credit, 64 * kib);
      window.received(bytes, ms);
      credit += window.consumed(bytes, ms, roundTripMs) - bytes;
      expect(credit).toBeGreaterThan(0);
    }
    return credit;
  }
  const exchanges = (ms: number, pool: CreditPool): void => {
    if (ms % 100 === 0) new ReceiveWindow(pool, 0, ms).close();
  };

  it('H14 is small while exchanges come and go beside it, so that little stands before their answers', () => {
    expect(creditAfter(1000, 0.5, exchanges)).toBeLessThanOrEqual(128 * kib);
  });

  it('H14 is whole when it has been alone for a while', () => {
    const untilHalf = (ms: number, pool: CreditPool): void => (ms < 500 ? exchanges(ms, pool) : undefined);
    expect(creditAfter(850, 0.5, untilHalf)).toBeLessThanOrEqual(128 * kib);
    expect(creditAfter(1100, 0.5, untilHalf)).toBeGreaterThan(initialWindowBytes / 2);
  });

  it('H14 is whole beside them on a path that needs it', () => {
    expect(creditAfter(1000, 40, exchanges)).toBeGreaterThan(initialWindowBytes / 2);
  });
});
