import { describe, expect, it } from 'vitest';
import { ClientTable, clientKey } from '../../../src/edge/policy/client-table.ts';

describe('clientKey()', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('knows %s as %s', (address, key) => {
    expect(clientKey(address)).toBe(key);
  });
});

describe('ClientTable', () => {
  it('gives all addresses of one IPv6 /64 the same value, and each IPv4 address its own', () => {
    const table = new ClientTable(() => ({}));
    expect(table.of('2001:db8::1')).toBe(table.of('2001:db8::2'));
    expect(table.of('2001:db8:0:1::1')).not.toBe(table.of('2001:db8::1'));
    expect(table.of('192.0.2.1')).not.toBe(table.of('192.0.2.2'));
  });

  it('never remembers more clients than its bound, and forgets the one that was used longest ago', () => {
    const table = new ClientTable(
      () => ({}),
      () => true,
      3,
    );
    const first = table.of('192.0.2.1');
    for (const address of ['192.0.2.2', '192.0.2.3', '192.0.2.1', '192.0.2.4']) table.of(address);
    expect(table.size).toBe(3);
    expect(table.of('192.0.2.1')).toBe(first);
    expect(table.peek('192.0.2.2')).toBeUndefined();
  });

  it('forgets a client that says nothing any more before one that does', () => {
    const table = new ClientTable(
      () => ({ isSpent: false }),
      ({ isSpent }) => !isSpent,
      3,
    );
    table.of('192.0.2.1').isSpent = true;
    for (const address of ['192.0.2.2', '192.0.2.3', '192.0.2.4']) table.of(address);
    expect(table.peek('192.0.2.1')?.isSpent).toBe(true);
    expect(table.peek('192.0.2.2')).toBeUndefined();
  });

  it('forgets the oldest when all of them count', () => {
    const table = new ClientTable(
      () => ({}),
      () => false,
      20,
    );
    for (let client = 0; client < 100; client += 1) table.of(`192.0.2.${client}`);
    expect(table.size).toBe(20);
    expect(table.peek('192.0.2.99')).toBeDefined();
  });
});
