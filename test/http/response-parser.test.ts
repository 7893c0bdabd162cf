import { describe, expect, it } from 'vitest';
import { bytes, parseResponse, pushOctets, responseRun } from './recording-sinks.ts';

const broken = expect.objectContaining({ code: 'GIR_ERR_ORIGIN_PROTOCOL' });
const incomplete = expect.objectContaining({ code: 'GIR_ERR_RESPONSE_INCOMPLETE' });
const closed = expect.objectContaining({ code: 'GIR_ERR_ORIGIN_CLOSED' });

describe('ResponseParser: heads', () => {
  it('reports status, reason, version and field lines', () => {
    const sink = parseResponse('HTTP/1.0 404 Not  Found \xe4\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n');
    expect(sink.heads).toEqual([
      {
        status: 404,
        reason: 'Not  Found \xe4',
        minorVersion: 0,
        fields: [
          ['Set-Cookie', 'a'],
          ['set-cookie', 'b'],
        ],
        body: { kind: 'until-close' },
      },
    ]);
  });

  it.each(['HTTP/1.1 200\r\n', 'HTTP/1.1 200 \r\n'])('accepts %j as one without reason', (line) => {
    expect(parseResponse(`${line}Content-Length: 0\r\n\r\n`).heads[0]).toMatchObject({ status: 200, reason: '' });
  });

  it.each([
    'HTTP/2 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 Low',
    'HTTP/1.1 600 High',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 200OK',
    ' HTTP/1.1 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    '',
    'SSH-2.0-OpenSSH_9.2',
  ])('refuses the status line %j, also before the head is complete', (line) => {
    expect(() => parseResponse(`${line}\r\n\r\n`)).toThrow(broken);
    expect(() => pushOctets(responseRun('GET').parser, `${line}\r\n`)).toThrow(broken);
  });

  it.each([
    ['CL and TE', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two Content-Length lines', 'Content-Length: 1\r\nContent-Length: 1\r\n\r\na'],
    ['a Content-Length list', 'Content-Length: 1, 1\r\n\r\na'],
    ['gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['obs-fold', 'X: 1\r\n 2\r\n\r\n'],
    ['a space before the colon', 'X : 1\r\n\r\n'],
    ['a bare LF', 'X: 1\nY: 2\r\n\r\n'],
    ['a NUL', 'X: \0\r\n\r\n'],
    ['a bad chunk size', 'Transfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['chunk data longer than its size', 'Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
  ])('refuses %s', (_, rest) => {
    expect(() => parseResponse(`HTTP/1.1 200 OK\r\n${rest}`)).toThrow(broken);
    expect(() => pushOctets(responseRun('GET').parser, `HTTP/1.1 200 OK\r\n${rest}`)).toThrow(broken);
  });

  it('refuses contradictory framing even where there is no body', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(() => parseResponse(text, 'HEAD')).toThrow(broken);
  });

  it('has its own limits and code for large heads', () => {
    const large = expect.objectContaining({ code: 'GIR_ERR_RESPONSE_HEADERS_TOO_LARGE' });
    const text = `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`;
    expect(parseResponse(text).heads).toHaveLength(1);
    expect(() => responseRun('GET', { maxHeadBytes: 1000, maxFieldLines: 9 }).parser.push(bytes(text))).toThrow(large);
    expect(() => parseResponse(`HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(1025)}\r\n`)).toThrow(large);
  });
});

describe('ResponseParser: bodies', () => {
  it.each([
    ['HEAD', '200 OK', 'Content-Length: 5'],
    ['HEAD', '200 OK', 'Transfer-Encoding: chunked'],
    ['GET', '304 Not Modified', 'Content-Length: 5'],
    ['GET', '304 Not Modified', 'Transfer-Encoding: chunked'],
    ['GET', '204 No Content', 'X: 1'],
  ])('gives the answer to %s with %s and %s no body', (method, status, field) => {
    const { parser, sink } = responseRun(method);
    parser.push(bytes(`HTTP/1.1 ${status}\r\n${field}\r\n\r\n`));
    expect(parser.state).toBe('complete');
    expect(sink.heads[0]).toMatchObject({ body: { kind: 'none' }, fields: [field.split(': ')] });
    expect(sink.trailers).toEqual([]);
  });

  it('ends an until-close body with the connection', () => {
    const { parser, sink } = responseRun('GET');
    parser.push(bytes('HTTP/1.1 200 OK\r\n\r\nab'));
    parser.push(bytes('cd'));
    expect(parser.state).toBe('body');
    parser.finish();
    expect(parser.state).toBe('complete');
    expect(sink.body).toBe('abcd');
    expect(sink.trailers).toEqual([]);
  });

  it('hands on trailers of a chunked body', () => {
    const sink = parseResponse(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nGrpc-Status: 0\r\n\r\n',
    );
    expect(sink.body).toBe('a');
    expect(sink.trailers).toEqual([['Grpc-Status', '0']]);
  });

  it('shows octets behind the response, and keeps taking them', () => {
    const { parser } = responseRun('GET');
    parser.push(bytes('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP'));
    parser.push(bytes('/1.1'));
    expect(parser.restBytes).toBe(8);
  });
});

describe('ResponseParser: interim responses', () => {
  it('reports each 1xx whole and goes on', () => {
    const sink = parseResponse(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
    );
    expect(sink.heads.map((head) => head.status)).toEqual([100, 103, 200]);
    expect(sink.heads[1]?.fields).toEqual([['Link', '</a>']]);
    expect(sink.body).toBe('a');
  });

  it('stops at 101 and keeps what follows', () => {
    const { parser, sink } = responseRun('GET');
    parser.push(bytes('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\0raw'));
    expect(parser.state).toBe('stopped');
    expect(sink.events).toHaveLength(1);
    expect(parser.takeRest()?.toString()).toBe('\0raw');
    parser.finish();
  });
});

describe('ResponseParser: the end of the connection', () => {
  const head = 'HTTP/1.1 200 OK\r\n';

  it.each([
    ['before the first octet', '', closed],
    ['after a 1xx', 'HTTP/1.1 100 Continue\r\n\r\n', closed],
    ['inside a head', head, incomplete],
    ['inside a body with length', `${head}Content-Length: 2\r\n\r\na`, incomplete],
    ['inside a chunk', `${head}Transfer-Encoding: chunked\r\n\r\n2\r\na`, incomplete],
    ['before the last chunk', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`, incomplete],
    ['inside the trailer section', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n`, incomplete],
  ])('is an error %s', (_, text, error) => {
    const { parser, sink } = responseRun('GET');
    parser.push(bytes(text));
    expect(() => parser.finish()).toThrow(error);
    expect(parser.state).toBe('failed');
    expect(sink.trailers).toBeUndefined();
  });

  it('is nothing when no answer is due', () => {
    const { parser } = responseRun('GET');
    parser.push(bytes(`${head}Content-Length: 0\r\n\r\n`));
    parser.finish();
    parser.next();
    parser.finish();
    expect(parser.state).toBe('idle');
  });

  it('is an error again once the next answer is due', () => {
    const { parser, sink } = responseRun('GET');
    parser.push(bytes(`${head}Content-Length: 0\r\n\r\n`));
    parser.expect('HEAD');
    parser.push(bytes(`${head}Content-Length: 9\r\n\r\n`));
    expect(sink.heads[1]?.body).toEqual({ kind: 'none' });
    parser.expect('GET');
    expect(() => parser.finish()).toThrow(closed);
  });

  it('refuses to arm for an answer while another one is under way', () => {
    const { parser } = responseRun('GET');
    parser.push(bytes(head));
    expect(() => parser.expect('GET')).toThrow(expect.objectContaining({ code: 'GIR_ERR_INTERNAL' }));
  });
});
