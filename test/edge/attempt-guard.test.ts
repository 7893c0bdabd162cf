import { describe, expect, it } from 'vitest';
import { AttemptGuard } from '../../src/edge/attempt-guard.ts';

function guardAt(clock: { ms: number }, exempt: readonly string[] = []): AttemptGuard {
  return new AttemptGuard(
    (address) => exempt.includes(address),
    () => clock.ms,
  );
}

function fail(guard: AttemptGuard, address: string, times: number): number[] {
  return Array.from({ length: times }, () => guard.failed(address));
}

describe('AttemptGuard', () => {
  it('S7 delays refusals more and more, up to two seconds', () => {
    const guard = guardAt({ ms: 0 });
    expect(fail(guard, '192.0.2.1', 10)).toEqual([0, 0, 0, 100, 200, 400, 800, 1600, 2000, 2000]);
  });

  it('refuses an address without looking once it has failed too often, and others never', () => {
    const guard = guardAt({ ms: 0 });
    fail(guard, '192.0.2.1', 29);
    expect(guard.waitMs('192.0.2.1')).toBe(0);
    guard.failed('192.0.2.1');
    expect(guard.waitMs('192.0.2.1')).toBe(10_000);
    expect(guard.waitMs('192.0.2.2')).toBe(0);
  });

  it('forgives one failure after ten seconds each', () => {
    const clock = { ms: 0 };
    const guard = guardAt(clock);
    fail(guard, '192.0.2.1', 40);
    clock.ms = 9_999;
    expect(guard.waitMs('192.0.2.1')).toBe(1);
    clock.ms = 10_000;
    expect(guard.waitMs('192.0.2.1')).toBe(0);
    guard.failed('192.0.2.1');
    expect(guard.waitMs('192.0.2.1')).toBe(10_000);
    clock.ms = 10_000 + 300_000;
    expect(guard.failed('192.0.2.1')).toBe(0);
  });

  it('counts the addresses of one IPv6 network, and both spellings of an IPv4 address, as one', () => {
    const guard = guardAt({ ms: 0 });
    for (let host = 1; host <= 30; host += 1) guard.failed(`2001:db8:0:1::${host.toString(16)}`);
    expect(guard.waitMs('2001:db8:0:1:ffff::1')).toBeGreaterThan(0);
    expect(guard.waitMs('2001:db8:0:2::1')).toBe(0);
    fail(guard, '::ffff:192.0.2.1', 30);
    expect(guard.waitMs('192.0.2.1')).toBeGreaterThan(0);
    expect(guard.size).toBe(2);
  });

  it('never slows an address that stands for many', () => {
    const guard = guardAt({ ms: 0 }, ['10.0.0.1']);
    expect(fail(guard, '10.0.0.1', 40)).toEqual(Array(40).fill(0));
    expect(guard.waitMs('10.0.0.1')).toBe(0);
  });

  it('S5 remembers a bounded number of addresses, the latest ones', () => {
    const guard = guardAt({ ms: 0 });
    for (let n = 0; n < 12_000; n += 1) guard.failed(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    expect(guard.size).toBe(10_000);
    fail(guard, '10.0.46.223', 3);
    expect(guard.failed('10.0.46.223')).toBe(200);
    fail(guard, '10.0.0.1', 2);
    expect(guard.failed('10.0.0.1')).toBe(0);
  });
});
