import { describe, expect, it } from 'vitest';
import type { FieldLines } from '../../src/http/field-line.ts';
import {
  assertFieldLines,
  assertForwardableRequestHead,
  assertForwardableResponseHead,
  assertForwardableTrailers,
} from '../../src/http/field-validation.ts';
import type { RequestHead, ResponseHead } from '../../src/http/message.ts';

const broken = expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' });

const response: ResponseHead = {
  status: 200,
  reason: 'OK',
  minorVersion: 1,
  fields: [
    ['Content-Length', '3'],
    ['X', 'a\tb\xff'],
  ],
  body: { kind: 'length', lengthBytes: 3 },
};
const request: RequestHead = {
  method: 'GET',
  target: '/a?b\xe4',
  minorVersion: 1,
  fields: [['Host', 'a.test']],
  body: { kind: 'none' },
};

const brokenLines: readonly (readonly [what: string, line: readonly [string, string]])[] = [
  ['CRLF in a value', ['X', 'a\r\nSet-Cookie: b']],
  ['LF in a value', ['X', 'a\nb']],
  ['NUL in a value', ['X', 'a\0']],
  ['ESC in a value', ['X', '\x1b[0m']],
  ['a character that latin1 would cut down to LF', ['X', 'a\u010ab']],
  ['a name with CRLF', ['X: 1\r\nY', 'b']],
  ['a name with a space', ['X ', 'b']],
  ['a name that latin1 would cut down to a token', ['X\u0141', 'b']],
  ['an empty name', ['', 'b']],
];

const brokenFraming: readonly (readonly [what: string, line: readonly [string, string]])[] = [
  ['Transfer-Encoding beside another framing', ['transfer-encoding', 'chunked']],
  ['an unknown Transfer-Encoding', ['Transfer-Encoding', 'gzip, chunked']],
  ['a Content-Length that is no number', ['Content-Length', '3x']],
];

describe('assertFieldLines()', () => {
  it('accepts tokens with any text', () => {
    assertFieldLines([...response.fields, ['!#$', ''], ['x', '"\\,;=']]);
  });

  it.each(brokenLines)('refuses %s', (_, line) => {
    expect(() => assertFieldLines([['X', 'y'], line])).toThrow(broken);
  });
});

describe('assertForwardableResponseHead()', () => {
  it('accepts a head whose framing is consistent', () => {
    assertForwardableResponseHead(response, { method: 'GET' });
    assertForwardableResponseHead({ ...response, fields: [], body: { kind: 'chunked' } });
    assertForwardableResponseHead({ ...response, fields: [], body: { kind: 'until-close' } });
    assertForwardableResponseHead({ ...response, body: { kind: 'none' } }, { method: 'HEAD' });
    assertForwardableResponseHead({ ...response, status: 304, body: { kind: 'none' } }, { method: 'GET' });
    assertForwardableResponseHead({ ...response, body: { kind: 'none' } });
    assertForwardableResponseHead({ ...response, status: 103, fields: [], body: { kind: 'none' } });
  });

  it("lets the origin's Transfer-Encoding line stand where it says the same", () => {
    const fields: FieldLines = [['Transfer-Encoding', 'chunked']];
    assertForwardableResponseHead({ ...response, fields, body: { kind: 'chunked' } }, { method: 'GET' });
    assertForwardableResponseHead({ ...response, fields, body: { kind: 'none' } }, { method: 'HEAD' });
    const head: ResponseHead = { ...response, fields, body: { kind: 'until-close' } };
    expect(() => assertForwardableResponseHead(head, { method: 'GET' })).toThrow(broken);
  });

  it.each(brokenFraming)('refuses %s', (_, line) => {
    expect(() => assertForwardableResponseHead({ ...response, fields: [...response.fields, line] })).toThrow(broken);
  });

  it.each([
    ['a status below 100', { status: 99 }],
    ['a status above 599', { status: 600 }],
    ['a status that is no integer', { status: 200.5 }],
    ['a status that is no number', { status: Number.NaN }],
    ['an unexpected 101', { status: 101, fields: [], body: { kind: 'none' } }],
    ['another length than Content-Length', { body: { kind: 'length', lengthBytes: 4 } }],
    ['a length without Content-Length', { fields: [] }],
    ['Content-Length beside chunks', { body: { kind: 'chunked' } }],
    ['Content-Length beside until-close', { body: { kind: 'until-close' } }],
    [
      'two Content-Length lines',
      {
        fields: [
          ['Content-Length', '3'],
          ['content-length', '3'],
        ] as FieldLines,
      },
    ],
    ['a body of a 204', { status: 204 }],
    ['a body of a 304', { status: 304 }],
    ['a body of a 103', { status: 103 }],
  ] as readonly (readonly [string, Partial<ResponseHead>])[])('refuses %s', (_, change) => {
    expect(() => assertForwardableResponseHead({ ...response, ...change }, {})).toThrow(broken);
  });

  it('allows a 101 when an upgrade was asked for', () => {
    const switching: ResponseHead = { ...response, status: 101, fields: [['Upgrade', 'x']], body: { kind: 'none' } };
    assertForwardableResponseHead(switching, { method: 'GET', isUpgrade: true });
  });

  it('refuses what contradicts the method of the request', () => {
    expect(() => assertForwardableResponseHead(response, { method: 'HEAD' })).toThrow(broken);
    expect(() => assertForwardableResponseHead({ ...response, body: { kind: 'none' } }, { method: 'GET' })).toThrow(
      broken,
    );
  });
});

describe('assertForwardableRequestHead()', () => {
  it('accepts paths, *, and consistent framing', () => {
    assertForwardableRequestHead(request);
    assertForwardableRequestHead({ ...request, method: 'OPTIONS', target: '*' });
    assertForwardableRequestHead({ ...request, body: { kind: 'chunked' } });
    const fields: FieldLines = [['Content-Length', '0']];
    assertForwardableRequestHead({ ...request, fields, body: { kind: 'length', lengthBytes: 0 } });
  });

  it.each(brokenFraming)('refuses %s', (_, line) => {
    expect(() => assertForwardableRequestHead({ ...request, fields: [line] })).toThrow(broken);
  });

  it.each([
    ['a method with a space', { method: 'GET /x' }],
    ['an empty method', { method: '' }],
    ['a target with a space', { target: '/a b' }],
    ['a target with CRLF', { target: '/a\r\nX:' }],
    ['a target with LF at its end', { target: '/a\n' }],
    ['a target with a wide character', { target: '/\u0120' }],
    ['a target with a fragment', { target: '/#a' }],
    ['a relative target', { target: 'a' }],
    ['an empty target', { target: '' }],
    ['a target that begins with *', { target: '*x' }],
    [
      'two Host lines',
      {
        fields: [
          ['Host', 'a'],
          ['host', 'a'],
        ] as FieldLines,
      },
    ],
    ['Content-Length without a body', { fields: [['Content-Length', '1']] as FieldLines }],
    [
      'a Transfer-Encoding line beside chunks',
      { fields: [['Transfer-Encoding', 'chunked']] as FieldLines, body: { kind: 'chunked' } },
    ],
    ['a body until close', { body: { kind: 'until-close' } }],
    ['chunks in HTTP/1.0', { minorVersion: 0, body: { kind: 'chunked' } }],
    ['another version', { minorVersion: 2 as 1 }],
  ] as readonly (readonly [string, Partial<RequestHead>])[])('refuses %s', (_, change) => {
    expect(() => assertForwardableRequestHead({ ...request, ...change })).toThrow(broken);
  });
});

describe('assertForwardableTrailers()', () => {
  it('accepts ordinary fields and refuses framing and line breaks', () => {
    assertForwardableTrailers([['X-Sum', '1']]);
    expect(() => assertForwardableTrailers([['X', 'a\r\nb']])).toThrow(broken);
    expect(() => assertForwardableTrailers([['Content-Length', '1']])).toThrow(broken);
    expect(() => assertForwardableTrailers([['Transfer-Encoding', 'chunked']])).toThrow(broken);
  });
});
