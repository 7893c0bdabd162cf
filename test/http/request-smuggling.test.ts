import { describe, expect, it } from 'vitest';
import { bytes, pushOctets, requestRun } from './recording-sinks.ts';

const start = 'POST / HTTP/1.1\r\nHost: a.test\r\n';
const chunked = `${start}Transfer-Encoding: chunked\r\n\r\n`;
const smuggled = 'GET /admin HTTP/1.1\r\nHost: a.test\r\n\r\n';

/** Each of these is read differently by some pair of servers. */
const attacks: readonly (readonly [what: string, text: string])[] = [
  // Two framings.
  ['CL.TE', `${start}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`],
  ['TE.CL', `${start}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}`],
  ['TE and an empty Content-Length', `${start}Transfer-Encoding: chunked\r\nContent-Length:\r\n\r\n0\r\n\r\n`],
  // Content-Length.
  ['two equal Content-Length lines', `${start}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
  ['two different Content-Length lines', `${start}Content-Length: 0\r\ncontent-length: 44\r\n\r\n${smuggled}`],
  ['a Content-Length list', `${start}Content-Length: 1, 1\r\n\r\na`],
  ['a Content-Length with plus', `${start}Content-Length: +1\r\n\r\na`],
  ['a Content-Length with minus', `${start}Content-Length: -1\r\n\r\na`],
  ['a hexadecimal Content-Length', `${start}Content-Length: 0x1\r\n\r\na`],
  ['a Content-Length with a space inside', `${start}Content-Length: 1 0\r\n\r\na`],
  ['an empty Content-Length', `${start}Content-Length:\r\n\r\n`],
  ['a Content-Length with exponent', `${start}Content-Length: 1e1\r\n\r\n`],
  ['a Content-Length with underscore', `${start}Content-Length: 1_0\r\n\r\n`],
  ['a Content-Length of 2^53', `${start}Content-Length: 9007199254740992\r\n\r\n`],
  ['a Content-Length of 2^64 + 1', `${start}Content-Length: 18446744073709551617\r\n\r\n`],
  ['a Content-Length of 400 digits', `${start}Content-Length: ${'9'.repeat(400)}\r\n\r\n`],
  // Transfer-Encoding.
  ['gzip, chunked', `${start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['identity, chunked', `${start}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n`],
  ['chunked, identity', `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ['an empty coding before chunked', `${start}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n`],
  ['an empty coding after chunked', `${start}Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n`],
  ['chunked twice in a list', `${start}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ['two Transfer-Encoding lines', `${start}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a second, unknown coding line', `${start}Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n`],
  ['identity alone', `${start}Transfer-Encoding: identity\r\n\r\n`],
  ['an unknown coding', `${start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['quoted chunked', `${start}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`],
  ['chunked with a parameter', `${start}Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n`],
  ['a vertical tab before chunked', `${start}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
  ['a form feed after chunked', `${start}Transfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n`],
  ['a no-break space before chunked', `${start}Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n`],
  ['an empty Transfer-Encoding', `${start}Transfer-Encoding:\r\n\r\n`],
  ['Transfer-Encoding in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  // Look-alike names.
  ['content_length', `${start}content_length: 4\r\n\r\n`],
  ['Content-Length beside Content_Length', `${start}Content-Length: 0\r\nContent_Length: 4\r\n\r\n`],
  ['TRANSFER_ENCODING', `${start}TRANSFER_ENCODING: chunked\r\n\r\n`],
  // Field lines.
  ['obs-fold with a space', `${start}X: a\r\n b\r\n\r\n`],
  ['obs-fold with a tab', `${start}Transfer-Encoding:\r\n\tchunked\r\n\r\n`],
  ['white space before the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
  ['a space before the colon', `${start}Content-Length : 4\r\n\r\n`],
  ['a tab before the colon', `${start}Transfer-Encoding\t: chunked\r\n\r\n`],
  ['an empty name', `${start}: x\r\n\r\n`],
  ['a line without a colon', `${start}Transfer-Encoding\r\n\r\n`],
  ['a name with a space', `${start}X Y: 1\r\n\r\n`],
  ['a name with a bracket', `${start}X(Y): 1\r\n\r\n`],
  ['a name with an octet above 0x7f', `${start}X\xe4: 1\r\n\r\n`],
  ['a NUL in a name', `${start}X\0: 1\r\n\r\n`],
  ['a NUL in a value', `${start}X: a\0b\r\n\r\n`],
  ['an ESC in a value', `${start}X: a\x1bb\r\n\r\n`],
  ['a DEL in a value', `${start}X: a\x7fb\r\n\r\n`],
  ['a bare LF between fields', `${start}X: a\nContent-Length: 4\r\n\r\n`],
  ['a bare CR in a value', `${start}X: a\rContent-Length: 4\r\n\r\n`],
  ['CR CR LF', `${start}X: a\r\r\n\r\n`],
  ['a head that ends in LF LF', 'GET / HTTP/1.1\nHost: a.test\n\n'],
  ['a head that ends in CRLF LF', 'GET / HTTP/1.1\r\nHost: a.test\r\n\n'],
  ['a head that ends in LF CRLF', 'GET / HTTP/1.1\r\nHost: a.test\n\r\n'],
  // Request lines.
  ['no version', 'GET /\r\nHost: a\r\n\r\n'],
  ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
  ['HTTP/0.9', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n'],
  ['a version in lower case', 'GET / http/1.1\r\nHost: a\r\n\r\n'],
  ['a version with a longer number', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n'],
  ['two spaces after the method', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['two spaces before the version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a tab between method and target', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space in the target', 'GET /a HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a tab in the target', 'GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n'],
  ['a space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method that is no token', 'GE(T / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a fragment in the target', 'GET /#a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a relative target', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['* without OPTIONS', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n'],
  // Host and absolute-form.
  ['no Host', 'GET / HTTP/1.1\r\nX: 1\r\n\r\n'],
  ['two equal Host lines', 'GET / HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n'],
  ['two Host lines in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a.test\r\nhost: b.test\r\n\r\n'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a Host with userinfo', 'GET / HTTP/1.1\r\nHost: u@a.test\r\n\r\n'],
  ['a Host list', 'GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a.test/b\r\n\r\n'],
  ['an absolute target for another host', 'GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target for another port', 'GET http://a.test:81/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target with userinfo', 'GET http://a.test@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target without authority', 'GET http:///x HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target of another scheme', 'GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target with a backslash', 'GET http://b.test\\@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target without Host', 'GET http://a.test/ HTTP/1.0\r\n\r\n'],
  // Chunked bodies.
  ['a chunk size with 0x', `${chunked}0x5\r\nhello\r\n0\r\n\r\n`],
  ['a chunk size with plus', `${chunked}+5\r\nhello\r\n0\r\n\r\n`],
  ['a negative chunk size', `${chunked}-5\r\nhello\r\n0\r\n\r\n`],
  ['an empty chunk size', `${chunked}\r\nhello\r\n0\r\n\r\n`],
  ['an extension without a size', `${chunked};a=b\r\nhello\r\n0\r\n\r\n`],
  ['a space before the chunk size', `${chunked} 5\r\nhello\r\n0\r\n\r\n`],
  ['a space behind the chunk size', `${chunked}5 \r\nhello\r\n0\r\n\r\n`],
  ['a space inside the chunk size', `${chunked}5 5\r\nhello\r\n0\r\n\r\n`],
  ['a chunk size that is no hexadecimal number', `${chunked}g\r\nhello\r\n0\r\n\r\n`],
  ['a chunk size of 17 digits', `${chunked}00000000000000005\r\nhello\r\n0\r\n\r\n`],
  ['a chunk size of 2^53', `${chunked}20000000000000\r\n`],
  ['a chunk size of 2^64 - 1', `${chunked}ffffffffffffffff\r\n`],
  ['a bare LF behind the chunk size', `${chunked}5\nhello\r\n0\r\n\r\n`],
  ['a bare CR behind the chunk size', `${chunked}5\rhello\r\n0\r\n\r\n`],
  ['a bare LF in an extension', `${chunked}5;a\nhello\r\n0\r\n\r\n`],
  ['a bare CR in an extension', `${chunked}5;a\rb\r\nhello\r\n0\r\n\r\n`],
  ['a NUL in an extension', `${chunked}5;a\0\r\nhello\r\n0\r\n\r\n`],
  ['chunk data longer than its size', `${chunked}5\r\nhello!\r\n0\r\n\r\n`],
  ['a bare LF behind chunk data', `${chunked}5\r\nhello\n0\r\n\r\n`],
  ['chunk data with two other octets in place of CRLF', `${chunked}5\r\nhelloXX0\r\n\r\n`],
  ['a bare LF behind the last chunk', `${chunked}0\r\n\n`],
  ['a bare LF in the trailer section', `${chunked}0\r\nX: 1\n\r\n`],
  ['obs-fold in the trailer section', `${chunked}0\r\nX: 1\r\n 2\r\n\r\n`],
  ['a space before the colon of a trailer', `${chunked}0\r\nX : 1\r\n\r\n`],
  ['a second last chunk in the trailer section', `${chunked}0\r\n0\r\n\r\n`],
];

describe('S4 requests that two servers could read differently', () => {
  it.each(attacks)('refuses %s, in one piece and octet by octet', (_, text) => {
    const refusal = expect.objectContaining({ code: 'GIR_ERR_REQUEST_INVALID' });
    const whole = requestRun();
    expect(() => whole.parser.push(bytes(text))).toThrow(refusal);
    expect(whole.parser.state).toBe('failed');
    const split = requestRun();
    expect(() => pushOctets(split.parser, text)).toThrow(refusal);
    // Nothing that follows may be taken for a request of its own.
    expect(whole.sink.heads.length).toBeLessThanOrEqual(1);
    expect(split.sink.trailers).toBeUndefined();
  });

  it('says in the message which rule was broken, without the octets that broke it', () => {
    for (const [, text] of attacks) {
      expect(() => requestRun().parser.push(bytes(text))).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^[\x20-\x7e]{8,90}$/) }),
      );
    }
  });
});
