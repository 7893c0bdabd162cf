import { describe, expect, it } from 'vitest';
import { bytes, parseRequest, pushOctets, requestRun } from './recording-sinks.ts';

const invalid = expect.objectContaining({ code: 'GIR_ERR_REQUEST_INVALID' });
const tooLarge = expect.objectContaining({ code: 'GIR_ERR_REQUEST_HEADERS_TOO_LARGE' });

describe('RequestParser: heads', () => {
  it('reports method, target, version and every field line in order and case', () => {
    const sink = parseRequest('GET /a?b=%20c HTTP/1.1\r\nHost: a.test\r\nX-B: 1\r\nx-b:\t 2 \t\r\nEmpty:\r\n\r\n');
    expect(sink.events).toEqual([
      {
        t: 'head',
        head: {
          method: 'GET',
          target: '/a?b=%20c',
          minorVersion: 1,
          fields: [
            ['Host', 'a.test'],
            ['X-B', '1'],
            ['x-b', '2'],
            ['Empty', ''],
          ],
          body: { kind: 'none' },
        },
      },
      { t: 'end', trailers: [] },
    ]);
  });

  it('passes octets from 0x80 in targets and values unchanged, and tabs inside values', () => {
    const [head] = parseRequest('GET /\xe4\xff HTTP/1.1\r\nHost: a.test\r\nX: a\tb\xfc\r\n\r\n').heads;
    expect(head?.target).toBe('/\xe4\xff');
    expect(head?.fields[1]).toEqual(['X', 'a\tb\xfc']);
  });

  it.each([
    ['GET', 'http://a.test/x?y', 'a.test', '/x?y'],
    ['GET', 'HTTP://A.test:80', 'a.test', '/'],
    ['GET', 'https://a.test:443/', 'a.test.', '/'],
    ['GET', 'http://a.test?q', 'a.test', '/?q'],
    ['OPTIONS', 'http://a.test', 'a.test', '*'],
    ['OPTIONS', 'http://a.test/', 'a.test', '/'],
    ['OPTIONS', '*', 'a.test', '*'],
    ['GET', '//a/b', 'a.test', '//a/b'],
    ['CONNECT', 'a.test:443', 'a.test:443', 'a.test:443'],
  ])('takes %s %s with Host %s as target %s', (method, target, host, expected) => {
    expect(parseRequest(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).heads[0]?.target).toBe(expected);
  });

  it('accepts a HTTP/1.0 request with and without Host', () => {
    expect(parseRequest('GET / HTTP/1.0\r\n\r\n').heads[0]).toMatchObject({ minorVersion: 0, fields: [] });
    expect(parseRequest('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n').heads[0]).toMatchObject({ minorVersion: 0 });
  });

  it('tolerates one empty line before the request line, and no second one', () => {
    const { parser, sink } = requestRun();
    pushOctets(parser, '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(sink.heads).toHaveLength(1);
    expect(() => parseRequest('\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')).toThrow(invalid);
    expect(() => pushOctets(requestRun().parser, '\r\n\r\n')).toThrow(invalid);
  });

  it.each([
    ['a bare LF', 'GET / HTTP/1.1\r\nHost: a\n'],
    ['a bare CR', 'GET / HTTP/1.1\r\nHost: a\rX'],
    ['a NUL', 'GET /\0'],
    ['the first octet of TLS', '\x16\x03\x01'],
    ['a request line without version', 'GET /\r\n'],
    ['a CR without LF as first line', '\rG'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n'],
  ])('refuses %s before the head is complete, in one piece and octet by octet', (_, text) => {
    expect(() => requestRun().parser.push(bytes(text))).toThrow(invalid);
    expect(() => pushOctets(requestRun().parser, text)).toThrow(invalid);
  });
});

describe('RequestParser: limits', () => {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n';

  it('accepts a head of exactly the limits', () => {
    expect(parseRequest(head, { maxHeadBytes: head.length, maxFieldLines: 2 }).heads).toHaveLength(1);
    const { parser, sink } = requestRun({ maxHeadBytes: head.length, maxFieldLines: 2 });
    pushOctets(parser, head);
    expect(sink.heads).toHaveLength(1);
  });

  it.each([
    { maxHeadBytes: head.length - 1, maxFieldLines: 2 },
    { maxHeadBytes: head.length, maxFieldLines: 1 },
  ])('refuses a head above $maxHeadBytes bytes or $maxFieldLines lines', (limits) => {
    expect(() => parseRequest(head, limits)).toThrow(tooLarge);
    expect(() => pushOctets(requestRun(limits).parser, head)).toThrow(tooLarge);
  });

  it('refuses too many bytes or lines while the head is incomplete', () => {
    expect(() => parseRequest(`GET / HTTP/1.1\r\nX: ${'a'.repeat(70_000)}`)).toThrow(tooLarge);
    expect(() => parseRequest(`GET / HTTP/1.1\r\n${'X: 1\r\n'.repeat(3000)}`)).toThrow(tooLarge);
  });

  it('has 64 KiB and 256 lines as defaults', () => {
    const lines = (count: number) => `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(count - 1)}\r\n`;
    expect(parseRequest(lines(256)).heads).toHaveLength(1);
    expect(() => parseRequest(lines(257))).toThrow(tooLarge);
    const padded = (size: number) => `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(size - 32)}\r\n\r\n`;
    expect(padded(65_536)).toHaveLength(65_536);
    expect(parseRequest(padded(65_536)).heads).toHaveLength(1);
    expect(() => parseRequest(padded(65_537))).toThrow(tooLarge);
  });

  it('bounds the trailer section like a head', () => {
    const start = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n';
    expect(() => parseRequest(`${start}X: ${'a'.repeat(70_000)}`)).toThrow(tooLarge);
    expect(() => parseRequest(`${start}${'X: 1\r\n'.repeat(257)}\r\n`)).toThrow(tooLarge);
  });
});

describe('RequestParser: bodies', () => {
  it('tells no body, a length of zero and an empty chunked body apart', () => {
    const start = 'POST / HTTP/1.1\r\nHost: a\r\n';
    expect(parseRequest(`${start}\r\n`).heads[0]?.body).toEqual({ kind: 'none' });
    const zero = parseRequest(`${start}Content-Length: 0\r\n\r\n`);
    expect(zero.heads[0]?.body).toEqual({ kind: 'length', lengthBytes: 0 });
    expect(zero.trailers).toEqual([]);
    const empty = parseRequest(`${start}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n`);
    expect(empty.heads[0]?.body).toEqual({ kind: 'chunked' });
    expect(empty.trailers).toEqual([]);
  });

  it('passes body octets on without copying them', () => {
    const seen: Buffer[] = [];
    const { parser, sink } = requestRun();
    sink.onBody = (chunk) => void seen.push(chunk);
    parser.push(bytes('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n'));
    const first = bytes('abcd');
    const second = bytes('efghGET');
    parser.push(first);
    parser.push(second);
    expect(seen[0]).toBe(first);
    expect(seen[1]?.buffer).toBe(second.buffer);
    expect(seen[1]?.toString()).toBe('efgh');
    expect(parser.takeRest()?.toString()).toBe('GET');
  });

  it('decodes chunks with extensions and leading zeros, and keeps allowed trailers', () => {
    const sink = parseRequest(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '3;a="b;c"\r\nabc\r\n00A \t;x\r\n0123456789\r\n0\r\n' +
        'X-Sum: 1\r\nContent-Length: 5\r\nHost: b\r\nTransfer_Encoding: x\r\nX-Forwarded-For: x\r\nx-sum: 2\r\n\r\n',
    );
    expect(sink.body).toBe('abc0123456789');
    expect(sink.trailers).toEqual([
      ['X-Sum', '1'],
      ['x-sum', '2'],
    ]);
  });

  it('bounds chunk lines at 4 KiB and extensions in all', () => {
    const start = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(parseRequest(`${start}1;${'e'.repeat(4094)}\r\na\r\n0\r\n\r\n`).body).toBe('a');
    expect(() => parseRequest(`${start}1;${'e'.repeat(4095)}\r\na\r\n`)).toThrow(invalid);
    expect(() => parseRequest(start + `1;${'e'.repeat(1000)}\r\na\r\n`.repeat(20))).toThrow(invalid);
  });

  it('decodes a body of many megabytes in chunks of any size', () => {
    const { parser, sink } = requestRun();
    let received = 0;
    sink.onBody = (chunk) => {
      received += chunk.length;
    };
    parser.push(bytes('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'));
    const data = Buffer.alloc(1 << 20);
    for (let count = 0; count < 16; count += 1) {
      parser.push(bytes('100000\r\n'));
      for (let at = 0; at < data.length; at += 65_521) parser.push(data.subarray(at, at + 65_521));
      parser.push(bytes('\r\n'));
    }
    parser.push(bytes('0\r\n\r\n'));
    expect(received).toBe(16 << 20);
    expect(parser.state).toBe('complete');
  });
});

describe('RequestParser: states', () => {
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  it('goes from idle over head and body to complete', () => {
    const { parser } = requestRun();
    expect(parser.state).toBe('idle');
    parser.push(bytes('POST / HTTP/1.1\r\nHost: a\r\n'));
    expect(parser.state).toBe('head');
    parser.push(bytes('Content-Length: 2\r\n\r\na'));
    expect(parser.state).toBe('body');
    parser.push(bytes('b'));
    expect(parser.state).toBe('complete');
    parser.next();
    expect(parser.state).toBe('idle');
  });

  it('holds pipelined octets until the owner takes them', () => {
    const { parser, sink } = requestRun();
    parser.push(bytes(`${get}GET /2`));
    parser.push(bytes(' HTTP/1.1\r\n'));
    expect(sink.heads).toHaveLength(1);
    expect(parser.restBytes).toBe(17);
    parser.next();
    expect(parser.takeRest()?.toString()).toBe('GET /2 HTTP/1.1\r\n');
    expect(parser.takeRest()).toBeUndefined();
    expect(parser.restBytes).toBe(0);
  });

  it('can go on to the next request inside onEnd', () => {
    const { parser, sink } = requestRun();
    let ends = 0;
    sink.onEnd = () => {
      ends += 1;
      parser.next();
      const rest = parser.takeRest();
      if (rest !== undefined) parser.push(rest);
    };
    parser.push(bytes(get.repeat(3)));
    expect(ends).toBe(3);
    expect(parser.state).toBe('idle');
  });

  it('treats each request of a connection alike', () => {
    const { parser, sink } = requestRun();
    pushOctets(parser, `\r\n${get}`);
    parser.next();
    pushOctets(parser, `\r\n${get}`);
    expect(sink.heads).toHaveLength(2);
    parser.next();
    expect(() => pushOctets(parser, 'GET /\r\n')).toThrow(invalid);
  });

  it('stops inside onHead and keeps all that follows, without onEnd', () => {
    const { parser, sink } = requestRun();
    sink.afterHead = () => parser.stop();
    parser.push(bytes(`${get}\0raw`));
    parser.push(bytes('\nmore'));
    expect(parser.state).toBe('stopped');
    expect(sink.events).toHaveLength(1);
    expect(parser.takeRest()?.toString('latin1')).toBe('\0raw\nmore');
  });

  it('answers for a complete request before it refuses what follows', () => {
    const { parser, sink } = requestRun();
    parser.push(bytes(`${get}GET / HTTP/1.1\nHost: a\n\n`));
    expect(sink.trailers).toEqual([]);
    parser.next();
    expect(() => parser.push(parser.takeRest() ?? Buffer.alloc(0))).toThrow(invalid);
  });

  it('stays failed and ignores octets after an error, also one of the sink', () => {
    const { parser, sink } = requestRun();
    sink.afterHead = () => {
      throw new Error('sink');
    };
    expect(() => parser.push(bytes(get))).toThrow('sink');
    expect(parser.state).toBe('failed');
    parser.push(bytes(get));
    expect(sink.heads).toHaveLength(1);
  });

  it('refuses next() and stop() where they do not belong', () => {
    const { parser } = requestRun();
    expect(() => parser.next()).toThrow(expect.objectContaining({ code: 'GIR_ERR_INTERNAL' }));
    expect(() => parser.stop()).toThrow(expect.objectContaining({ code: 'GIR_ERR_INTERNAL' }));
  });
});
