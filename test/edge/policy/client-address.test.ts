import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../../src/edge/policy/client-address.ts';
import { createNetworkTest } from '../../../src/http/ip-network.ts';

const isTrusted = createNetworkTest(['10.0.0.0/8', '2001:db8::/32']);
const address = (peer: string, ...lines: string[]): string =>
  clientAddress(
    lines.map((line) => ['X-Forwarded-For', line] as const),
    peer,
    isTrusted,
  );

describe('clientAddress()', () => {
  it('believes nobody who is not trusted', () => {
    expect(address('192.0.2.1', '198.51.100.9')).toBe('192.0.2.1');
  });

  it('takes the last address that is no trusted proxy, over all lines', () => {
    expect(address('10.0.0.1', '203.0.113.1, 198.51.100.9', '10.0.0.2')).toBe('198.51.100.9');
  });

  it('keeps the last proxy that is known when the rest is missing, hidden or garbled', () => {
    expect(address('10.0.0.1')).toBe('10.0.0.1');
    expect(address('10.0.0.1', 'unknown')).toBe('10.0.0.1');
    expect(address('10.0.0.1', '198.51.100.9, nonsense, 10.0.0.2')).toBe('10.0.0.2');
  });

  it('reads addresses with ports and brackets', () => {
    expect(address('10.0.0.1', '198.51.100.9:4711')).toBe('198.51.100.9');
    expect(address('10.0.0.1', '[2001:dba::9]:4711')).toBe('2001:dba::9');
    expect(address('2001:db8::1', '::ffff:198.51.100.9')).toBe('198.51.100.9');
  });
});
