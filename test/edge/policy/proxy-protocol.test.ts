import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProxyHeader } from '../../../src/edge/policy/proxy-protocol.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function version2(command: number, family: number, variable: Buffer): Buffer {
  const fixed = Buffer.from([command, family, variable.length >> 8, variable.length & 0xff]);
  return Buffer.concat([signature, fixed, variable]);
}

const text = (line: string) => parseProxyHeader(Buffer.from(line, 'latin1'));
const tcp4 = Buffer.from([198, 51, 100, 9, 192, 0, 2, 1, 0x12, 0x67, 0, 80]);
const ssl = Buffer.from([0x20, 0, 5, 0x01, 0, 0, 0, 0]);

describe('parseProxyHeader()', () => {
  it.each([
    ['PROXY TCP4 198.51.100.9 192.0.2.1 4711 80\r\n', '198.51.100.9', 4711],
    ['PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n', '2001:db8::9', 4711],
  ])('reads version 1: %j', (line, address, port) => {
    expect(text(`${line}GET /`)).toEqual({
      kind: 'whole',
      bytes: line.length,
      client: { address, port, scheme: 'http' },
    });
  });

  it('knows the balancer’s own connections', () => {
    const own = { kind: 'whole', client: undefined };
    expect(text('PROXY UNKNOWN\r\n')).toMatchObject(own);
    expect(text('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n')).toMatchObject(own);
    expect(parseProxyHeader(version2(0x20, 0x00, Buffer.alloc(0)))).toMatchObject({ ...own, bytes: 16 });
    expect(parseProxyHeader(version2(0x21, 0x31, Buffer.alloc(216)))).toMatchObject(own);
  });

  it.each([
    'GET / HTTP/1.1\r\n',
    'PROXY TCP4 198.51.100.9 192.0.2.1 4711\r\n',
    'PROXY TCP4 198.51.100.9 192.0.2.1 4711 80 1\r\n',
    'PROXY TCP4  198.51.100.9 192.0.2.1 4711 80\r\n',
    'PROXY TCP4 198.51.100.9 192.0.2.1 04711 80\r\n',
    'PROXY TCP4 198.51.100.9 192.0.2.1 65536 80\r\n',
    'PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n',
    'PROXY TCP6 fe80::1%a fe80::2 1 2\r\n',
    'PROXY UDP4 198.51.100.9 192.0.2.1 1 2\r\n',
    'PROXY UNKNOWNX\r\n',
    'proxy TCP4 198.51.100.9 192.0.2.1 1 2\r\n',
    `PROXY TCP4 ${'1'.repeat(107)}`,
  ])('refuses %j', (line) => {
    expect(text(line).kind).toBe('invalid');
  });

  it('reads version 2 with IPv4 and IPv6, and whether the client came over TLS', () => {
    expect(parseProxyHeader(version2(0x21, 0x11, tcp4))).toMatchObject({
      bytes: 28,
      client: { address: '198.51.100.9', port: 0x1267, scheme: 'http' },
    });
    expect(parseProxyHeader(version2(0x21, 0x11, Buffer.concat([tcp4, Buffer.from([4, 0, 1, 7]), ssl])))).toMatchObject(
      {
        client: { scheme: 'https' },
      },
    );
    const source = Buffer.from('20010db8000000000000000000000009', 'hex');
    const tcp6 = Buffer.concat([source, Buffer.alloc(16), Buffer.from([0x12, 0x67, 0, 80])]);
    expect(parseProxyHeader(version2(0x21, 0x21, tcp6))).toMatchObject({ client: { address: '2001:db8::9' } });
    const mapped = Buffer.concat([
      Buffer.from('00000000000000000000ffff', 'hex'),
      tcp4.subarray(0, 4),
      Buffer.alloc(20),
    ]);
    expect(parseProxyHeader(version2(0x21, 0x21, mapped))).toMatchObject({ client: { address: '198.51.100.9' } });
  });

  it('refuses other versions, commands and families, addresses cut short, and more than 4 KiB', () => {
    const refused = [
      version2(0x11, 0x11, tcp4),
      version2(0x22, 0x11, tcp4),
      version2(0x21, 0x12, tcp4),
      version2(0x21, 0x11, tcp4.subarray(0, 11)),
      version2(0x21, 0x21, Buffer.alloc(35)),
      version2(0x21, 0x11, Buffer.alloc(4097)).subarray(0, 16),
    ];
    expect(refused.map((octets) => parseProxyHeader(octets).kind)).toEqual(refused.map(() => 'invalid'));
  });

  it('waits for the rest of a header, octet by octet', () => {
    const headers = [
      Buffer.from('PROXY TCP4 198.51.100.9 192.0.2.1 4711 80\r\n', 'latin1'),
      version2(0x21, 0x11, Buffer.concat([tcp4, ssl])),
    ];
    for (const header of headers) {
      const kinds = Array.from({ length: header.length }, (_, end) => parseProxyHeader(header.subarray(0, end)).kind);
      expect(new Set(kinds)).toEqual(new Set(['incomplete']));
      expect(parseProxyHeader(header)).toMatchObject({ kind: 'whole', bytes: header.length });
    }
  });

  it('survives any octets behind a signature', async () => {
    await fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        expect(['whole', 'invalid', 'incomplete']).toContain(parseProxyHeader(Buffer.concat([signature, rest])).kind);
      }),
    );
  });
});
