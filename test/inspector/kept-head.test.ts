import { describe, expect, it } from 'vitest';
import type { BodyFraming, RequestHead, ResponseHead } from '../../src/http/message.ts';
import { keepRequest, keepResponse, keptRequest, keptResponse } from '../../src/inspector/kept-head.ts';

const request: RequestHead = { method: 'GET', target: '/a?b', minorVersion: 1, fields: [], body: { kind: 'none' } };
const response: ResponseHead = { status: 200, reason: 'OK', minorVersion: 1, fields: [], body: { kind: 'none' } };

function throughText(head: RequestHead): RequestHead {
  const kept = keptRequest(keepRequest('app.test', head));
  expect(kept.endpoint).toBe('app.test');
  return kept.head;
}

describe('a kept head', () => {
  it.each([
    ['no line', []],
    ['an empty value', [['X-Empty', '']]],
    [
      'lines of one name, in their order',
      [
        ['Set-Cookie', 'a=1'],
        ['Via', '1.1 a'],
        ['set-cookie', 'b=2'],
      ],
    ],
    ['octets beyond ASCII and tabs', [['X-Text', 'caf\xe9\tau lait']]],
  ] as const)('gives back %s', (_, fields) => {
    expect(throughText({ ...request, fields })).toEqual({ ...request, fields });
    expect(keptResponse(keepResponse({ ...response, fields }))).toEqual({ ...response, fields });
  });

  it.each<BodyFraming>([
    { kind: 'none' },
    { kind: 'length', lengthBytes: 0 },
    { kind: 'length', lengthBytes: Number.MAX_SAFE_INTEGER },
    { kind: 'chunked' },
    { kind: 'until-close' },
  ])('gives back how a body was delimited: $kind', (body) => {
    expect(throughText({ ...request, body })).toEqual({ ...request, body });
    expect(keptResponse(keepResponse({ ...response, body }))).toEqual({ ...response, body });
  });

  it('gives back an empty reason phrase, and HTTP/1.0', () => {
    const bare: ResponseHead = { ...response, status: 404, reason: '', minorVersion: 0 };
    expect(keptResponse(keepResponse(bare))).toEqual(bare);
  });
});
