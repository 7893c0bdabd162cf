import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import type { FieldLine } from '../../src/http/field-line.ts';
import type { BodyFraming, RequestHead, ResponseHead } from '../../src/http/message.ts';
import {
  decodeOpenRequest,
  decodeResponseHead,
  decodeTrailers,
  encodeOpenRequest,
  encodeResponseHead,
  encodeTrailers,
} from '../../src/protocol/head-codec.ts';
import { bufferArbitrary } from '../support/raw-frames.ts';

const tokenCharacters = [..."!#$%&'*+-.^_`|~0129azAZ"];
const textCharacters = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
  (character) => character === '\t' || (character >= ' ' && character !== '\x7f'),
);
const wordCharacters = textCharacters.filter((character) => character > ' ');

const text = (characters: string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...characters), { minLength, maxLength, size: 'max' }).map((parts) => parts.join(''));
const token = text(tokenCharacters, 1, 20);
const field: fc.Arbitrary<FieldLine> = fc.tuple(token, text(textCharacters, 0, 40));
const fields = fc.oneof(
  fc.array(field, { maxLength: 6 }),
  fc.array(field, { minLength: 200, maxLength: 200, size: 'max' }),
);
const minorVersion = fc.constantFrom<0 | 1>(0, 1);
const body: fc.Arbitrary<BodyFraming> = fc.oneof(
  fc.constantFrom<BodyFraming>({ kind: 'none' }, { kind: 'chunked' }, { kind: 'until-close' }),
  fc.maxSafeNat().map((lengthBytes): BodyFraming => ({ kind: 'length', lengthBytes })),
);
const requestHead: fc.Arbitrary<RequestHead> = fc.record({
  method: token,
  target: text(wordCharacters, 1, 60),
  minorVersion,
  fields,
  body,
});
const responseHead: fc.Arbitrary<ResponseHead> = fc.record({
  status: fc.integer({ min: 100, max: 999 }),
  reason: text(textCharacters, 0, 30),
  minorVersion,
  fields,
  body,
});
const openRequest = fc.record({
  head: requestHead,
  endpoint: text(
    wordCharacters.filter((character) => character !== '#'),
    1,
    60,
  ),
  windowBytes: fc.nat(2 ** 31 - 1),
  urgency: fc.option(fc.nat(7), { nil: undefined }),
  upgrade: fc.option(text(textCharacters, 0, 30), { nil: undefined }),
});

/** Returns undefined, or whatever was thrown. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const refusal = expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' });

describe('request heads', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(openRequest, (request) => {
        expect(decodeOpenRequest(encodeOpenRequest(request))).toEqual(request);
      }),
    );
  });

  it('keep an Upgrade field of several protocols with its spaces', () => {
    const head: RequestHead = { method: 'GET', target: '/', minorVersion: 1, fields: [], body: { kind: 'none' } };
    const request = { head, endpoint: 'a.test', windowBytes: 0, upgrade: 'h2c, websocket  x' };
    expect(decodeOpenRequest(encodeOpenRequest(request)).upgrade).toBe('h2c, websocket  x');
  });

  it('name another target of the endpoint behind a #', () => {
    const head: RequestHead = { method: 'GET', target: '/', minorVersion: 1, fields: [], body: { kind: 'none' } };
    const request = { head, endpoint: 'a.test', targetName: 'canary', windowBytes: 0, upgrade: 'websocket' };
    const payload = encodeOpenRequest(request);
    expect(payload.toString('latin1')).toBe('GET / 1 - 0 a.test#canary websocket');
    expect(decodeOpenRequest(payload)).toEqual(request);
    expect(() => decodeOpenRequest(Buffer.from('GET / 1 - 0 a.test#'))).toThrow(refusal);
  });

  it('are laid out as proto/tunnel.proto says', () => {
    const payload = encodeOpenRequest({
      head: {
        method: 'POST',
        target: '/p?q',
        minorVersion: 1,
        fields: [
          ['Host', 'a.test'],
          ['X', 'caf\xe9'],
        ],
        body: { kind: 'length', lengthBytes: 5 },
      },
      endpoint: 'a.test',
      windowBytes: 65_536,
      upgrade: undefined,
    });
    expect(payload.toString('latin1')).toBe('POST /p?q 1 5 65536 a.test\nHost:a.test\nX:caf\xe9');
  });

  it.each([
    ['nothing', ''],
    ['no endpoint', 'GET / 1 - 0'],
    ['an empty endpoint', 'GET / 1 - 0 '],
    ['an empty method', ' / 1 - 0 a'],
    ['an empty target', 'GET  1 - 0 a'],
    ['an unknown version', 'GET / 2 - 0 a'],
    ['an unknown body word', 'GET / 1 ? 0 a'],
    ['a body length in another base', 'GET / 1 0x10 0 a'],
    ['a body length beyond what can be counted', 'GET / 1 9007199254740992 0 a'],
    ['an empty window', 'GET / 1 -  a'],
    ['a window in another base', 'GET / 1 - 0x10 a'],
    ['a window with an exponent', 'GET / 1 - 1e3 a'],
    ['a negative window', 'GET / 1 - -1 a'],
    ['a window with a sign', 'GET / 1 - +1 a'],
    ['a fraction of a window', 'GET / 1 - 1.5 a'],
    ['a window above 2^31 - 1', 'GET / 1 - 2147483648 a'],
    ['an urgency above 7', 'GET / 1 - 0:8 a'],
    ['an empty urgency', 'GET / 1 - 0: a'],
    ['two urgencies', 'GET / 1 - 0:1:2 a'],
    ['a field without a colon', 'GET / 1 - 0 a\nX'],
    ['a field without a name', 'GET / 1 - 0 a\n:x'],
    ['an empty field line', 'GET / 1 - 0 a\n'],
    ['an empty field line in between', 'GET / 1 - 0 a\n\nA:b'],
    ['a colon only in the next line', 'GET / 1 - 0 a\nX\nA:b'],
    ['a field name that is no token', 'GET / 1 - 0 a\nA b:c'],
    ['a field name beyond ASCII', 'GET / 1 - 0 a\nA\xe4:c'],
    ['CR in a value', 'GET / 1 - 0 a\nA:b\rB:c'],
    ['NUL in a value', 'GET / 1 - 0 a\nA:\0'],
    ['ESC in a value', 'GET / 1 - 0 a\nA:\x1b[0m'],
    ['DEL in the target', 'GET /\x7f 1 - 0 a'],
  ])('with %s are refused', (_what, payload) => {
    expect(() => decodeOpenRequest(Buffer.from(payload, 'latin1'))).toThrow(refusal);
  });

  it('accept the largest window, 2^31 - 1', () => {
    expect(decodeOpenRequest(Buffer.from('GET / 1 - 2147483647 a')).windowBytes).toBe(2 ** 31 - 1);
  });
});

describe('response heads', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(responseHead, (head) => {
        expect(decodeResponseHead(encodeResponseHead(head))).toEqual(head);
      }),
    );
  });

  it('may leave the reason away, with its space or without', () => {
    expect(decodeResponseHead(Buffer.from('204 1 -')).reason).toBe('');
    expect(decodeResponseHead(Buffer.from('204 1 - ')).reason).toBe('');
  });

  it.each([
    ['nothing', ''],
    ['no body word', '200 1'],
    ['a status of two digits', '20 1 - OK'],
    ['a status of four digits', '2000 1 - OK'],
    ['a status that starts with 0', '099 1 - OK'],
    ['a status that is no number', 'abc 1 - OK'],
    ['no version', '200  - OK'],
    ['an empty body word', '200 1  OK'],
    ['a field without a colon', '200 1 - OK\nX'],
    ['a field name that is no token', '200 1 - OK\nA b:c'],
    ['CR in the reason', '200 1 - OK\rX:1'],
    ['NUL in a value', '200 1 - OK\nA:\0'],
  ])('with %s are refused', (_what, payload) => {
    expect(() => decodeResponseHead(Buffer.from(payload, 'latin1'))).toThrow(refusal);
  });
});

describe('trailers', () => {
  it('come out as they went in, and none are an empty payload', () => {
    fc.assert(
      fc.property(fields, (trailers) => {
        const payload = encodeTrailers(trailers);
        expect(decodeTrailers(payload)).toEqual(trailers);
        expect(payload.length === 0).toBe(trailers.length === 0);
      }),
    );
  });

  it.each([
    ['anything before the first line feed', 'x\nA:b'],
    ['no line feed', 'A:b'],
    ['an empty line', '\n'],
    ['CR in a value', '\nA:b\rB:c'],
  ])('with %s are refused', (_what, payload) => {
    expect(() => decodeTrailers(Buffer.from(payload, 'latin1'))).toThrow(refusal);
  });
});

describe('head and trailer payloads of any octets', () => {
  const heads = fc.oneof(
    openRequest.map(encodeOpenRequest),
    responseHead.map(encodeResponseHead),
    fields.map(encodeTrailers),
  );
  const mutated = fc
    .tuple(heads, fc.array(fc.tuple(fc.nat(), fc.constantFrom(10, 32, 58, 0, 255, 48)), { maxLength: 5 }))
    .map(([payload, changes]) => {
      for (const [place, octet] of changes) payload[place % Math.max(1, payload.length)] = octet;
      return payload;
    });

  it.each([
    ['decodeOpenRequest()', decodeOpenRequest],
    ['decodeResponseHead()', decodeResponseHead],
    ['decodeTrailers()', decodeTrailers],
  ])('%s reads them or throws GIR_ERR_PROTOCOL', (_name, decode) => {
    fc.assert(
      fc.property(fc.oneof(bufferArbitrary(60), mutated), (payload) => {
        const thrown = thrownBy(() => decode(payload));
        expect([undefined, 'GIR_ERR_PROTOCOL']).toContain(
          thrown === undefined ? undefined : (thrown as GiraffeError).code,
        );
        expect(thrown === undefined || thrown instanceof GiraffeError).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a megabyte of line feeds', Buffer.alloc(1024 * 1024, '\n')],
    ['a megabyte of spaces', Buffer.alloc(1024 * 1024, ' ')],
    ['a megabyte of the shortest fields and no colon at last', Buffer.from(`200 1 - \n${'a:\n'.repeat(349_000)}x`)],
  ])('%s is refused', (_what, payload) => {
    expect(() => decodeResponseHead(payload)).toThrow(refusal);
  });
});
