import { describe, expect, it } from 'vitest';
import { parseLoadTarget } from '../../src/load/load-target.ts';
import { parseHeader, requestTemplate } from '../../src/load/request-template.ts';

describe('parseLoadTarget()', () => {
  it.each([
    [
      'http://app.test',
      { tls: false, host: 'app.test', port: 80, authority: 'app.test', path: '/', isWebSocket: false },
    ],
    [
      'https://app.test:8443/a?b=c#d',
      { tls: true, host: 'app.test', port: 8443, authority: 'app.test:8443', path: '/a?b=c' },
    ],
    ['wss://app.test/echo', { tls: true, port: 443, isWebSocket: true }],
    ['localhost:3000/x', { tls: false, host: 'localhost', port: 3000, path: '/x' }],
    ['http://[::1]:8080/', { host: '::1', port: 8080, authority: '[::1]:8080' }],
  ])('reads %s', (text, expected) => {
    expect(parseLoadTarget(text)).toMatchObject(expected);
  });

  it.each(['ftp://app.test/', 'http://', 'http://u:p@app.test/', 'http://app.test:99999/'])('refuses %s', (text) => {
    expect(() => parseLoadTarget(text)).toThrow(expect.objectContaining({ code: 'GIR_ERR_USAGE' }));
  });

  it('S7 does not repeat a password', () => {
    expect(() => parseLoadTarget('http://me:hunter2@app.test/')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('requestTemplate()', () => {
  const plain = { method: 'GET', path: '/a', authority: 'app.test', fields: [], bodyBytes: 0, keepAlive: true };

  it('writes the usual head', () => {
    expect(requestTemplate(plain).start.toString()).toBe(
      'GET /a HTTP/1.1\r\nHost: app.test\r\nUser-Agent: giraffe-bench\r\nAccept: */*\r\n\r\n',
    );
  });

  it('lets lines of the user replace its own, whatever their case', () => {
    const { start } = requestTemplate({
      ...plain,
      fields: [
        ['host', 'other.test'],
        ['X-A', '1'],
      ],
      keepAlive: false,
    });
    expect(start.toString()).toBe(
      'GET /a HTTP/1.1\r\nUser-Agent: giraffe-bench\r\nAccept: */*\r\nhost: other.test\r\nX-A: 1\r\nConnection: close\r\n\r\n',
    );
  });

  it('puts a small body behind the head and leaves a large one to the caller', () => {
    const small = requestTemplate({ ...plain, method: 'POST', bodyBytes: 7 });
    expect(small.start.toString()).toMatch(/Content-Length: 7\r\n\r\ngiraffe$/);
    expect(small.restBytes).toBe(0);
    const large = requestTemplate({ ...plain, method: 'POST', bodyBytes: 1_000_000 });
    expect(large.start.toString()).toMatch(/Content-Length: 1000000\r\n\r\n$/);
    expect(large.restBytes).toBe(1_000_000);
  });
});

describe('parseHeader()', () => {
  it('reads a line', () => {
    expect(parseHeader('X-A:  b: c ')).toEqual(['X-A', 'b: c']);
  });

  it.each([
    'no colon',
    ': value',
    'Bad Name: x',
    'X-A: a\r\nX-B: b',
    'Content-Length: 5',
    'transfer-encoding: chunked',
  ])('refuses %j', (text) => {
    expect(() => parseHeader(text)).toThrow(expect.objectContaining({ code: 'GIR_ERR_USAGE' }));
  });

  it('S7 does not repeat a value', () => {
    expect(() => parseHeader('Authorization: hunter2\u0000')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});
