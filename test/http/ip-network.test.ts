import { describe, expect, it } from 'vitest';
import { createNetworkTest, isNetwork } from '../../src/http/ip-network.ts';

describe('isNetwork()', () => {
  it.each(['192.0.2.7', '10.0.0.0/8', '0.0.0.0/0', '::1', '2001:db8::/32', '::/0'])('accepts %s', (text) => {
    expect(isNetwork(text)).toBe(true);
  });

  it.each([
    '',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '10.0.0.0/-1',
    'fe80::1%eth0',
  ])('refuses %j', (text) => expect(isNetwork(text)).toBe(false));
});

describe('createNetworkTest()', () => {
  it('finds addresses of either family, IPv4-mapped ones too, and nothing else', () => {
    const isIn = createNetworkTest(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1', '192.0.2.7'].map(isIn)).toEqual([true, true, true, true]);
    expect(['11.0.0.1', '192.0.2.8', '2001:db9::1', '', 'unknown'].map(isIn)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
