import { describe, expect, it } from 'vitest';
import { chunkHeader, lastChunkText, requestHeadText, responseHeadText } from '../../src/http/head-text.ts';
import type { RequestHead, ResponseHead } from '../../src/http/message.ts';

const request: RequestHead = {
  method: 'POST',
  target: '/a?b',
  minorVersion: 1,
  fields: [
    ['Host', 'a.test'],
    ['X', ''],
  ],
  body: { kind: 'chunked' },
};
const response: ResponseHead = {
  status: 200,
  reason: '',
  minorVersion: 0,
  fields: [['A', 'b']],
  body: { kind: 'none' },
};

describe('requestHeadText()', () => {
  it('writes the fields, then the framing of a chunked body and Connection', () => {
    expect(requestHeadText(request, 'close')).toBe(
      'POST /a?b HTTP/1.1\r\nHost: a.test\r\nX: \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    );
  });

  it('writes no line that is not needed, and never the version of the client', () => {
    const head: RequestHead = { ...request, minorVersion: 0, fields: [], body: { kind: 'length', lengthBytes: 1 } };
    expect(requestHeadText(head, undefined)).toBe('POST /a?b HTTP/1.1\r\n\r\n');
  });
});

describe('responseHeadText()', () => {
  it("speaks HTTP/1.1 whatever the origin's version, and keeps the space before an empty reason", () => {
    expect(responseHeadText(response, undefined)).toBe('HTTP/1.1 200 \r\nA: b\r\n\r\n');
  });

  it('adds Transfer-Encoding for a chunked body only', () => {
    expect(responseHeadText({ ...response, body: { kind: 'chunked' } }, 'keep-alive')).toBe(
      'HTTP/1.1 200 \r\nA: b\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n',
    );
  });
});

describe('chunk framing', () => {
  it('writes sizes in hexadecimal', () => {
    expect(chunkHeader(65_536)).toBe('10000\r\n');
  });

  it('ends a body with and without trailers', () => {
    expect(lastChunkText([])).toBe('0\r\n\r\n');
    expect(lastChunkText([['X-Sum', '1']])).toBe('0\r\nX-Sum: 1\r\n\r\n');
  });
});
