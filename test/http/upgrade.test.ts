import { describe, expect, it } from 'vitest';
import type { FieldLines } from '../../src/http/field-line.ts';
import type { RequestHead } from '../../src/http/message.ts';
import { requestedUpgrade } from '../../src/http/upgrade.ts';

function request(fields: FieldLines, rest: Partial<RequestHead> = {}): RequestHead {
  return { method: 'GET', target: '/', minorVersion: 1, fields, body: { kind: 'none' }, ...rest };
}

const websocket: FieldLines = [
  ['Connection', 'keep-alive, UPGRADE'],
  ['upgrade', 'WebSocket'],
];

describe('requestedUpgrade()', () => {
  it('returns the protocol as sent', () => {
    expect(requestedUpgrade(request(websocket))).toBe('WebSocket');
  });

  it('joins several Upgrade lines', () => {
    expect(requestedUpgrade(request([...websocket, ['Upgrade', 'foo/2']]))).toBe('WebSocket, foo/2');
  });

  it('allows a Content-Length of zero and any method', () => {
    const rest = { method: 'POST', body: { kind: 'length', lengthBytes: 0 } } as const;
    expect(requestedUpgrade(request(websocket, rest))).toBe('WebSocket');
  });

  it.each([
    ['without Connection', request([['Upgrade', 'websocket']])],
    [
      'without the connection option',
      request([
        ['Connection', 'keep-alive'],
        ['Upgrade', 'websocket'],
      ]),
    ],
    ['without Upgrade', request([['Connection', 'upgrade']])],
    [
      'with an empty Upgrade',
      request([
        ['Connection', 'upgrade'],
        ['Upgrade', ''],
      ]),
    ],
    ['in HTTP/1.0', request(websocket, { minorVersion: 0 })],
    ['with a body', request(websocket, { body: { kind: 'length', lengthBytes: 1 } })],
    ['with a chunked body', request(websocket, { body: { kind: 'chunked' } })],
  ])('returns undefined %s', (_, head) => {
    expect(requestedUpgrade(head)).toBeUndefined();
  });

  it.each(['h2c', 'H2C', 'h2', 'HTTP/2.0', 'http', 'TLS/1.0', 'websocket, h2c', 'tls/1.2, websocket'])(
    'never offers %s (h2c smuggling)',
    (protocol) => {
      expect(
        requestedUpgrade(
          request([
            ['Connection', 'Upgrade, HTTP2-Settings'],
            ['Upgrade', protocol],
          ]),
        ),
      ).toBeUndefined();
    },
  );
});
