import { describe, expect, it } from 'vitest';
import { type FieldLines, fieldValues } from '../../src/http/field-line.ts';
import {
  type ClientFacts,
  forwardedRequest,
  forwardedResponse,
  isValidRequestId,
  passesVia,
} from '../../src/http/forwarding.ts';
import type { RequestHead, ResponseHead } from '../../src/http/message.ts';

const facts: ClientFacts = { address: '192.0.2.1', port: 50_123, scheme: 'https', isTrustedProxy: false };
const proxy: ClientFacts = { ...facts, address: '10.0.0.1', scheme: 'http', isTrustedProxy: true };

function request(fields: FieldLines, rest: Partial<RequestHead> = {}): RequestHead {
  return { method: 'GET', target: '/', minorVersion: 1, fields, body: { kind: 'none' }, ...rest };
}

function forwarded(fields: FieldLines, from: ClientFacts = facts): FieldLines {
  return forwardedRequest(request(fields), from, 'edge-1', 'id-1').fields;
}

describe('forwardedRequest()', () => {
  it('adds what the edge knows behind the lines of the client, which keep order and case', () => {
    const lines: FieldLines = [
      ['hOST', 'app.test:8443'],
      ['X-B', '1'],
      ['Accept', '*/*'],
      ['x-b', '2'],
      ['Content-Length', '3'],
      ['Trailer', 'X-Sum'],
      ['Expect', '100-continue'],
      ['giraffe-internal', 'x'],
    ];
    expect(forwarded(lines)).toEqual([
      ...lines,
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-Host', 'app.test:8443'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Port', '8443'],
      ['Forwarded', 'for=192.0.2.1;host="app.test:8443";proto=https'],
      ['Via', '1.1 edge-1'],
      ['X-Request-Id', 'id-1'],
    ]);
  });

  it('leaves the rest of the head as it is', () => {
    const head = request([], { method: 'PUT', target: '/x', body: { kind: 'chunked' } });
    expect(forwardedRequest(head, facts, 'edge-1', 'id-1')).toMatchObject({ ...head, fields: expect.anything() });
  });

  it('replaces every claim of an untrusted client, also in spellings with underscores', () => {
    const fields = forwarded([
      ['X-Forwarded-For', '1.2.3.4'],
      ['x-forwarded-for', '5.6.7.8'],
      ['X-Forwarded-Host', 'evil.test'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Port', '1'],
      ['X_Forwarded_For', '1.2.3.4'],
      ['X-Forwarded_Proto', 'http'],
      ['Forwarded', 'for=1.2.3.4'],
      ['X-Real-IP', '1.2.3.4'],
      ['Host', 'app.test'],
    ]);
    expect(fields).toEqual([
      ['Host', 'app.test'],
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-Host', 'app.test'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Port', '443'],
      ['Forwarded', 'for=192.0.2.1;host=app.test;proto=https'],
      ['X-Real-IP', '192.0.2.1'],
      ['Via', '1.1 edge-1'],
      ['X-Request-Id', 'id-1'],
    ]);
  });

  it('appends to what a trusted proxy says', () => {
    const fields = forwarded(
      [
        ['Host', 'app.test'],
        ['X-Forwarded-For', '203.0.113.7'],
        ['X-Forwarded-For', '10.0.0.9'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'public.test'],
        ['X-Forwarded-Port', '443'],
        ['Forwarded', 'for=203.0.113.7;proto=https'],
        ['X-Real-IP', '203.0.113.7'],
        ['X_Forwarded_For', '6.6.6.6'],
      ],
      proxy,
    );
    expect(fields.slice(1, -2)).toEqual([
      ['X-Real-IP', '203.0.113.7'],
      ['X-Forwarded-For', '203.0.113.7, 10.0.0.9, 10.0.0.1'],
      ['X-Forwarded-Host', 'public.test'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Port', '443'],
      ['Forwarded', 'for=203.0.113.7;proto=https, for=10.0.0.1;host=app.test;proto=http'],
    ]);
  });

  it('puts the X-Forwarded-* of a trusted proxy without Forwarded in front of its own element', () => {
    const fields = forwarded(
      [
        ['Host', 'app.test'],
        ['X-Forwarded-For', '2001:db8::7, unknown, 203.0.113.7:5000'],
        ['X-Forwarded-Proto', 'https'],
      ],
      proxy,
    );
    expect(fieldValues(fields, 'forwarded')).toEqual([
      'for="[2001:db8::7]";host=app.test;proto=https, for=unknown, for="203.0.113.7:5000", for=10.0.0.1;host=app.test;proto=http',
    ]);
  });

  it('tells its own facts for a trusted proxy that says nothing', () => {
    const fields = forwarded([['Host', 'app.test']], proxy);
    expect(fieldValues(fields, 'x-forwarded-for')).toEqual(['10.0.0.1']);
    expect(fieldValues(fields, 'x-forwarded-proto')).toEqual(['http']);
    expect(fieldValues(fields, 'forwarded')).toEqual(['for=10.0.0.1;host=app.test;proto=http']);
  });

  it.each([
    ['2001:db8::1', '2001:db8::1', 'for="[2001:db8::1]"'],
    ['::ffff:192.0.2.9', '192.0.2.9', 'for=192.0.2.9'],
    ['fe80::1%eth0', 'fe80::1', 'for="[fe80::1]"'],
  ])('writes the address %s as %s and %s', (address, plain, element) => {
    const fields = forwarded([], { ...facts, address });
    expect(fieldValues(fields, 'x-forwarded-for')).toEqual([plain]);
    expect(fieldValues(fields, 'forwarded')).toEqual([`${element};proto=https`]);
  });

  it.each([
    ['app.test', 'https', '443'],
    ['app.test', 'http', '80'],
    ['app.test:8081', 'http', '8081'],
    ['[::1]', 'http', '80'],
    ['[::1]:90', 'https', '90'],
  ] as const)('names for Host %s over %s the port %s', (host, scheme, port) => {
    expect(fieldValues(forwarded([['Host', host]], { ...facts, scheme }), 'x-forwarded-port')).toEqual([port]);
  });

  it('removes hop-by-hop lines and what Connection names, but nothing that it adds itself', () => {
    const fields = forwarded([
      ['Connection', 'keep-alive, X-Hop, X-Forwarded-For, Via, X-Request-Id, Forwarded'],
      ['X-Hop', '1'],
      ['Transfer-Encoding', 'chunked'],
      ['Upgrade', 'websocket'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'close'],
      ['X-Request-Id', 'client'],
    ]);
    expect(fields.map(([name]) => name)).toEqual([
      'X-Request-Id',
      'X-Forwarded-For',
      'X-Forwarded-Proto',
      'X-Forwarded-Port',
      'Forwarded',
      'Via',
    ]);
  });

  it('has one X-Request-Id, in the place and case of the first one that the client sent', () => {
    const fields = forwarded([
      ['A', '1'],
      ['x-request-ID', 'client'],
      ['B', '2'],
      ['X-Request-Id', 'again'],
    ]);
    expect(fields[1]).toEqual(['x-request-ID', 'id-1']);
    expect(fieldValues(fields, 'x-request-id')).toEqual(['id-1']);
  });

  it.each([
    [['trailers'], ['trailers']],
    [['gzip;q=0.5, Trailers'], ['trailers']],
    [['gzip', 'trailers'], ['trailers']],
    [['gzip'], []],
    [[], []],
  ])('turns TE %j into %j', (sent, expected) => {
    expect(fieldValues(forwarded(sent.map((value) => ['te', value] as const)), 'te')).toEqual(expected);
  });

  it('says which version the client speaks, and invents no Host', () => {
    const head = forwardedRequest(request([['Via', '1.0 other']], { minorVersion: 0 }), facts, 'edge-1', 'id-1');
    expect(fieldValues(head.fields, 'via')).toEqual(['1.0 other', '1.0 edge-1']);
    expect(head.fields.some(([name]) => /host/i.test(name))).toBe(false);
  });
});

describe('forwardedResponse()', () => {
  it('drops hop-by-hop lines, keeps all others as they are and appends Via', () => {
    const kept: FieldLines = [
      ['Date', 'x'],
      ['Server', 'y'],
      ['Set-Cookie', 'a'],
      ['set-cookie', 'b'],
      ['Set-Cookie', 'c'],
      ['Trailer', 'X-Sum'],
      ['Content-Length', '5'],
    ];
    const dropped: FieldLines = [
      ['Connection', 'close, X-Hop'],
      ['X-Hop', '1'],
      ['Proxy-Connection', 'close'],
      ['Keep-Alive', 'timeout=5'],
      ['Transfer-Encoding', 'chunked'],
    ];
    const head: ResponseHead = {
      status: 200,
      reason: 'OK',
      minorVersion: 0,
      fields: [...dropped, ...kept],
      body: { kind: 'until-close' },
    };
    expect(forwardedResponse(head, 'edge-1')).toEqual({ ...head, fields: [...kept, ['Via', '1.0 edge-1']] });
  });

  it('blames the origin for too many connection options', () => {
    const fields: FieldLines = [['Connection', Array.from({ length: 17 }, (_, index) => `x-${index}`).join()]];
    const head: ResponseHead = { status: 200, reason: '', minorVersion: 1, fields, body: { kind: 'none' } };
    expect(() => forwardedResponse(head, 'v')).toThrow(expect.objectContaining({ code: 'GIR_ERR_ORIGIN_PROTOCOL' }));
  });
});

describe('passesVia()', () => {
  it.each([
    ['1.1 edge-1', true],
    ['1.0 other, 1.1\tEDGE-1 (giraffe)', true],
    ['HTTP/1.1 edge-1', true],
    ['1.1 edge-10', false],
    ['1.1 other (edge-1)', false],
    ['edge-1', false],
    ['', false],
  ])('finds its own pseudonym in %j: %s', (value, expected) => {
    expect(
      passesVia(
        [
          ['X', '1'],
          ['via', value],
        ],
        'Edge-1',
      ),
    ).toBe(expected);
  });
});

describe('isValidRequestId()', () => {
  it('accepts 1 to 128 harmless characters', () => {
    expect(isValidRequestId('0af7651916cd43dd8448eb211c80319c')).toBe(true);
    expect(isValidRequestId('A.b_c~d:e@f/g+h=i-j')).toBe(true);
    expect(isValidRequestId('a'.repeat(128))).toBe(true);
  });

  it.each(['', 'a'.repeat(129), 'a b', 'a\n', 'a,b', 'a"b', '<a>', '\xe4'])('refuses %j', (text) => {
    expect(isValidRequestId(text)).toBe(false);
  });
});
