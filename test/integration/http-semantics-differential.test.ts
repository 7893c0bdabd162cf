/**
 * Each odd message goes straight to an origin and through a tunnel; both ends must see the same in both cases, except
 * for what the documentation says about a hop: hop-by-hop fields, what the edge adds, absolute targets, HTTP versions.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectPeer, lineName, type RawHead, type RawMessage, statusOf, valuesOf } from '../support/raw-http.ts';
import { addedNames, type SemanticsWorld, startSemanticsWorld, transports } from '../support/semantics-world.ts';
import { testHost } from '../support/tunnel-world.ts';

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
];
const forbiddenTrailers = ['content-length', 'host', 'transfer-encoding', 'x-forwarded-for'];

function request(startLine: string, lines: readonly string[] = [], body = ''): string {
  return `${[startLine, `Host: ${testHost}`, ...lines, '', ''].join('\r\n')}${body}`;
}

function response(startLine: string, lines: readonly string[] = [], body = ''): string {
  return `${[startLine, ...lines, '', ''].join('\r\n')}${body}`;
}

const chunkedLine = 'Transfer-Encoding: chunked';
const octets = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
const manyLines = Array.from({ length: 200 }, (_, index) => `X-${index % 7}: ${index}`);

/** Requests that are valid, though few clients send them. */
const requests: readonly (readonly [string, string])[] = [
  ['plain', request('GET / HTTP/1.1')],
  ['lower-case method', request('get / HTTP/1.1')],
  ['method of symbols', request("!#$%&'*+-.^_`|~ / HTTP/1.1")],
  ['long method', request(`${'M'.repeat(200)} / HTTP/1.1`)],
  ['query only', request('GET /? HTTP/1.1')],
  ['two question marks', request('GET /a??b=?c HTTP/1.1')],
  ['dot segments', request('GET /a/../b/./c/%2e%2e/d HTTP/1.1')],
  ['empty segments', request('GET ///a//b/ HTTP/1.1')],
  ['encoded octets', request('GET /%00%0d%0a%ff?%26=%3D HTTP/1.1')],
  ['broken percent', request('GET /100%?%zz HTTP/1.1')],
  ['unwise characters', request('GET /<>"{}|\\^`[]?<>"{}|\\^`[] HTTP/1.1')],
  ['octets above ASCII', request('GET /caf\xe9/\xff?\x80 HTTP/1.1')],
  ['semicolons and colons', request("GET /a;b=c:d@e!$&'()*+,;= HTTP/1.1")],
  ['a URI inside the path', request('GET /http://other.test:80/x HTTP/1.1')],
  ['a path that looks like a host', request('GET //other.test/x HTTP/1.1')],
  ['long target', request(`GET /${'t'.repeat(30_000)} HTTP/1.1`)],
  ['OPTIONS *', request('OPTIONS * HTTP/1.1')],
  ['TRACE', request('TRACE /x HTTP/1.1', ['Max-Forwards: 3'])],
  ['HEAD', request('HEAD / HTTP/1.1')],
  ['no space behind the colon', request('GET / HTTP/1.1', ['A:b', 'C:d'])],
  ['tabs and spaces around a value', request('GET / HTTP/1.1', ['A: \t b \t '])],
  ['tabs inside a value', request('GET / HTTP/1.1', ['A: b\tc  d'])],
  ['empty values', request('GET / HTTP/1.1', ['A:', 'B: ', 'A:'])],
  ['values of commas', request('GET / HTTP/1.1', ['A: ,', 'A: ,,b,', 'Accept: ,'])],
  ['values of colons', request('GET / HTTP/1.1', ['A: :', 'B: a:b', 'C::c'])],
  ['values above ASCII', request('GET / HTTP/1.1', ['A: \x80\xff\xa0', 'B: \xe2\x82\xac'])],
  ['names of symbols', request('GET / HTTP/1.1', ["!#$%&'*+-.^_`|~: x", '0: y', '-: z'])],
  ['names with underscores', request('GET / HTTP/1.1', ['a_b: 1', 'a-b: 2', '_: 3'])],
  ['names of objects', request('GET / HTTP/1.1', ['__proto__: 1', 'constructor: 2', 'hasOwnProperty: 3'])],
  ['mixed case', request('GET / HTTP/1.1', ['uSeR-aGeNt: x', 'ACCEPT: y', 'accept: z'])],
  ['repeated lines in turn', request('GET / HTTP/1.1', ['A: 1', 'B: 1', 'a: 2', 'b: 2', 'A: 3'])],
  ['200 lines', request('GET / HTTP/1.1', manyLines)],
  ['a value of 40,000 octets', request('GET / HTTP/1.1', [`A: ${'v'.repeat(40_000)}`])],
  ['two cookies', request('GET / HTTP/1.1', ['Cookie: a=1; b=2', 'Cookie: c="3,4"'])],
  ['quoted strings', request('GET / HTTP/1.1', ['If-Match: "a,b", W/"c\\"d"', 'Accept: a/b;c="d;e,f"'])],
  ['trace context', request('GET / HTTP/1.1', ['traceparent: 00-1-2-01', 'tracestate: a=b', 'tracestate: c=d'])],
  ['authorization twice', request('GET / HTTP/1.1', ['Authorization: Basic eDp5', 'Proxy-Authorization: Basic eDp5'])],
  ['CORS preflight', request('OPTIONS /x HTTP/1.1', ['Origin: null', 'Access-Control-Request-Method: PUT'])],
  [
    'range and conditions',
    request('GET / HTTP/1.1', ['Range: bytes=0-,-5,7-9', 'If-Range: "x"', 'If-Unmodified-Since: x']),
  ],
  ['GET with a body', request('GET / HTTP/1.1', ['Content-Length: 5'], 'hello')],
  ['HEAD with a body', request('HEAD / HTTP/1.1', ['Content-Length: 5'], 'hello')],
  ['OPTIONS with a body', request('OPTIONS /x HTTP/1.1', ['Content-Length: 2'], '{}')],
  ['TRACE with a body', request('TRACE / HTTP/1.1', ['Content-Length: 1'], 'x')],
  ['DELETE with chunks', request('DELETE /x HTTP/1.1', [chunkedLine], '3\r\nabc\r\n0\r\n\r\n')],
  ['all octets', request('POST / HTTP/1.1', ['Content-Length: 256'], octets)],
  ['all octets in one chunk', request('POST / HTTP/1.1', [chunkedLine], `100\r\n${octets}\r\n0\r\n\r\n`)],
  [
    'a body that looks like a request',
    request('POST / HTTP/1.1', ['Content-Length: 31'], 'GET /x HTTP/1.1\r\nHost: evil\r\n\r\n'),
  ],
  ['a body of line ends', request('POST / HTTP/1.1', ['Content-Length: 8'], '\r\n\r\n\r\n\r\n')],
  ['no body', request('POST / HTTP/1.1')],
  ['length zero', request('POST / HTTP/1.1', ['content-length:0'])],
  ['length with leading zeros', request('POST / HTTP/1.1', ['Content-Length: 0003'], 'abc')],
  ['empty chunked body', request('PUT / HTTP/1.1', [chunkedLine], '0\r\n\r\n')],
  ['mixed-case chunked', request('PUT / HTTP/1.1', ['transfer-ENCODING: ChUnKeD'], '1\r\na\r\n0\r\n\r\n')],
  [
    'chunk sizes with zeros, in both cases',
    request('PUT / HTTP/1.1', [chunkedLine], '00A\r\n0123456789\r\n0000b\r\n0123456789a\r\n000\r\n\r\n'),
  ],
  ['chunk extensions', request('PUT / HTTP/1.1', [chunkedLine], '1;a\r\nx\r\n1 ; b="c;d" ;e=f\r\ny\r\n0;last\r\n\r\n')],
  ['trailers', request('PUT / HTTP/1.1', [chunkedLine, 'Trailer: a'], '1\r\nx\r\n0\r\na: 1\r\nA: 2\r\nb:\r\n\r\n')],
  [
    'trailers that no one may send',
    request('PUT / HTTP/1.1', [chunkedLine], '0\r\nHost: x\r\nX-Forwarded-For: x\r\nb: 1\r\n\r\n'),
  ],
  ['a Trailer line without a body', request('POST / HTTP/1.1', ['Trailer: a, b'])],
  ['many small chunks', request('PUT / HTTP/1.1', [chunkedLine], `${'2\r\nab\r\n'.repeat(500)}0\r\n\r\n`)],
  ['expectation with the body at once', request('POST / HTTP/1.1', ['Expect: 100-continue', 'Content-Length: 1'], 'x')],
  [
    'connection options',
    request('GET / HTTP/1.1', ['Connection: keep-alive,, ,x-hop', 'X-Hop: 1', 'Keep-Alive: 5', 'X-End: 1']),
  ],
  ['TE without trailers', request('GET / HTTP/1.1', ['TE: gzip', 'Connection: TE'])],
  [
    'an upgrade to h2c',
    request('GET / HTTP/1.1', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM']),
  ],
  ['an upgrade without Connection', request('GET / HTTP/1.1', ['Upgrade: websocket'])],
  [
    'an upgrade with a body',
    request('POST / HTTP/1.1', ['Connection: Upgrade', 'Upgrade: x', 'Content-Length: 2'], 'ab'),
  ],
  ['absolute target', request(`GET http://${testHost}/a?b=c HTTP/1.1`)],
  ['absolute target without a path', request(`GET HTTP://${testHost.toUpperCase()}:80 HTTP/1.1`)],
  [
    'Host with a port, in another case',
    `GET / HTTP/1.1\r\nA: 1\r\nhOST: ${testHost.toUpperCase()}.:81\r\nB: 2\r\n\r\n`,
  ],
  ['HTTP/1.0', request('GET / HTTP/1.0')],
  [
    'HTTP/1.0 with keep-alive and a body',
    request('POST / HTTP/1.0', ['Connection: keep-alive', 'Content-Length: 2'], 'ab'),
  ],
];

/** Answers that are valid, though few origins give them. `close` ends the connection behind them. */
const responses: readonly (readonly [name: string, answer: string, options?: { close?: true; method?: string }])[] = [
  ['plain', plain],
  ['no reason', response('HTTP/1.1 200 ', ['Content-Length: 0'])],
  ['no reason and no space', response('HTTP/1.1 200', ['Content-Length: 0'])],
  ['long reason', response(`HTTP/1.1 200 ${'why '.repeat(500)}not`, ['Content-Length: 0'])],
  ['reason above ASCII', response('HTTP/1.1 404 Pas trouv\xe9\t\xff', ['Content-Length: 0'])],
  ['status 299', response('HTTP/1.1 299 Own', ['Content-Length: 0'])],
  ['status 399', response('HTTP/1.1 399 Own', ['Content-Length: 0'])],
  ['status 599', response('HTTP/1.1 599 Own', ['Content-Length: 0'])],
  ['status 203 with Warning', response('HTTP/1.1 203 x', ['Warning: 214 - "x"', 'Content-Length: 0'])],
  [
    'a gateway error of its own',
    response('HTTP/1.1 502 Bad Gateway', ['Proxy-Status: inner; error=dns_error', 'Content-Length: 0']),
  ],
  ['an unfinished redirect', response('HTTP/1.1 302 Found', ['Content-Length: 0'])],
  [
    'a relative redirect',
    response('HTTP/1.1 301 x', ['Location: ../x?y#z', 'Refresh: 0;url=http://127.0.0.1:1/', 'Content-Length: 0']),
  ],
  [
    'names in odd cases',
    response('HTTP/1.1 200 OK', ['sErVeR: x', 'DATE: y', 'content-length: 0', 'x_y: 1', "!#$%&'*+-.^_`|~: z"]),
  ],
  [
    'repeated lines in turn',
    response('HTTP/1.1 200 OK', ['A: 1', 'Set-Cookie: b', 'a: 2', 'set-cookie: c', 'Content-Length: 0']),
  ],
  ['empty values', response('HTTP/1.1 200 OK', ['A:', 'Server: ', 'Set-Cookie:', 'Content-Length: 0'])],
  ['values above ASCII', response('HTTP/1.1 200 OK', ['A: \x80\xff \xe2\x82\xac', 'Content-Length: 0'])],
  [
    '900 lines',
    response('HTTP/1.1 200 OK', [...Array.from({ length: 900 }, (_, i) => `X: ${i}`), 'Content-Length: 0']),
  ],
  ['all octets', response('HTTP/1.1 200 OK', ['Content-Length: 256'], octets)],
  [
    'all octets in chunks',
    response(
      'HTTP/1.1 200 OK',
      [chunkedLine],
      `80\r\n${octets.slice(0, 128)}\r\n80\r\n${octets.slice(128)}\r\n0\r\n\r\n`,
    ),
  ],
  ['chunk extensions', response('HTTP/1.1 200 OK', [chunkedLine], '1;a="b;c"\r\nx\r\n0;z\r\n\r\n')],
  [
    'trailers',
    response('HTTP/1.1 200 OK', [chunkedLine, 'Trailer: a'], '0\r\na: 1\r\nA: 2\r\nContent-Length: 9\r\nb:\r\n\r\n'),
  ],
  ['empty chunked body', response('HTTP/1.1 200 OK', [chunkedLine], '0\r\n\r\n')],
  ['204', response('HTTP/1.1 204 No Content', ['A: 1'])],
  ['304 with a length', response('HTTP/1.1 304 Not Modified', ['Content-Length: 77', 'ETag: W/"x"'])],
  ['205', response('HTTP/1.1 205 Reset Content', ['Content-Length: 0'])],
  ['HEAD with a length', response('HTTP/1.1 200 OK', ['Content-Length: 77']), { method: 'HEAD' }],
  ['HEAD with chunks', response('HTTP/1.1 200 OK', [chunkedLine, 'A: 1']), { method: 'HEAD' }],
  ['HEAD with an error', response('HTTP/1.1 500 x', ['Content-Length: 77']), { method: 'HEAD' }],
  [
    'interim answers',
    `${response('HTTP/1.1 100 Continue')}${response('HTTP/1.1 103 Early Hints', ['Link: <a>', 'link: <b>'])}${plain}`,
  ],
  ['102 with fields', `${response('HTTP/1.1 102 Processing', ['X-Progress: 1'])}${plain}`],
  [
    'hop-by-hop fields',
    response('HTTP/1.1 200 OK', [
      'Connection: x-hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=9',
      'Content-Length: 0',
      'B: 1',
    ]),
  ],
  ['Connection: close', response('HTTP/1.1 200 OK', ['Connection: close', 'Content-Length: 2'], 'ok'), { close: true }],
  ['until the end of the connection', response('HTTP/1.1 200 OK', ['A: 1'], octets), { close: true }],
  ['nothing until the end of the connection', response('HTTP/1.1 200 OK', ['A: 1']), { close: true }],
  ['HTTP/1.0', response('HTTP/1.0 200 OK', ['A: 1'], 'old'), { close: true }],
  ['HTTP/1.0 with a length', response('HTTP/1.0 200 OK', ['Content-Length: 3'], 'old'), { close: true }],
  [
    'a body that looks like an answer',
    response('HTTP/1.1 200 OK', ['Content-Length: 38'], 'HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n '),
  ],
  [
    'compressed without a length',
    response('HTTP/1.1 200 OK', ['Content-Encoding: gzip'], '\x1f\x8b\x08\x00'),
    { close: true },
  ],
];

/** What both ways must agree on. */
interface View {
  readonly startLine: string;
  readonly lines: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

function optionsOf(head: RawHead): string[] {
  return valuesOf(head, 'connection')
    .flatMap((value) => value.toLowerCase().split(','))
    .map((option) => option.trim());
}

/** Returns `name: value` with the blanks that are no part of the value made alike. */
function tidy(line: string): string {
  const colon = line.indexOf(':');
  return `${line.slice(0, colon)}: ${line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, '')}`;
}

/** Returns a message without what belongs to a hop. */
function endToEnd(message: RawMessage, added: readonly string[]): View {
  const options = optionsOf(message);
  return {
    startLine: message.startLine
      .replace(/ http:\/\/[^/ ]*(?=\/)/i, ' ')
      .replace(/ http:\/\/[^/ ]* /i, ' / ')
      .replace(/HTTP\/1\.0(?= |$)/, 'HTTP/1.1')
      .replace(/^(HTTP\/1\.1 [0-9]{3})$/, '$1 '),
    lines: message.lines.filter((line) => ![...hopByHop, ...added, ...options].includes(lineName(line))).map(tidy),
    body: message.body.toString('latin1'),
    trailers: message.trailers.filter((line) => !forbiddenTrailers.includes(lineName(line))).map(tidy),
  };
}

/** Sends a request to a port and returns all answers, interim ones first, and what the origin saw. */
async function send(
  world: SemanticsWorld,
  port: number,
  octetsSent: string,
  method: string,
): Promise<{ seen: RawMessage; answers: RawMessage[] }> {
  world.origin.requests.length = 0;
  await using client = await connectPeer(port);
  client.write(octetsSent);
  const answers: RawMessage[] = [];
  do answers.push(await client.readResponse(method));
  while (statusOf(answers.at(-1) ?? { startLine: '', lines: [] }) < 200);
  const [seen, ...more] = world.origin.requests;
  if (seen === undefined) throw new Error(`the origin got nothing; the client ${answers[0]?.startLine}`);
  expect(more).toEqual([]);
  return { seen, answers };
}

describe.each(transports)('the same with and without a tunnel over $name', ({ transport }) => {
  let world: SemanticsWorld;

  beforeAll(async () => {
    world = await startSemanticsWorld({ transport });
  });
  afterAll(async () => world[Symbol.asyncDispose]());
  beforeEach(() => world.origin.reset());

  it.each(requests)('H9 H10 H11 request: %s', async (_name, octetsSent) => {
    const [method = ''] = octetsSent.split(' ');
    world.origin.answer(method === 'HEAD' ? response('HTTP/1.1 200 OK', ['Content-Length: 2']) : plain);
    const direct = await send(world, world.origin.port, octetsSent, method);
    const tunnelled = await send(world, world.edge.edge.ports.proxy, octetsSent, method);
    expect(endToEnd(tunnelled.seen, addedNames)).toEqual(endToEnd(direct.seen, []));
    expect(tunnelled.seen.framing).toBe(direct.seen.framing);
    expect(tunnelled.answers.map((answer) => endToEnd(answer, ['via']))).toEqual(
      direct.answers.map((answer) => endToEnd(answer, [])),
    );
    expect(tunnelled.seen.lines.map(lineName)).toEqual(expect.arrayContaining([...addedNames]));
  });

  const answers = responses.map(([name, answer, options = {}]) => ({ name, answer, ...options }));
  it.each(answers)('H9 H10 H11 response: $name', async ({ answer, close, method = 'GET' }) => {
    world.origin.handle = async (head, peer) => {
      world.origin.requests.push(await peer.readBody(head));
      peer.write(answer);
      if (close) peer.socket.end();
    };
    const octetsSent = request(`${method} / HTTP/1.1`);
    const direct = await send(world, world.origin.port, octetsSent, method);
    const tunnelled = await send(world, world.edge.edge.ports.proxy, octetsSent, method);
    expect(tunnelled.answers.map((message) => endToEnd(message, ['via']))).toEqual(
      direct.answers.map((message) => endToEnd(message, [])),
    );
    // What ends with its connection at the origin is chunked for the client; all else is framed as it was.
    const framings = direct.answers.map(({ framing }) => (framing === 'close' ? 'chunked' : framing));
    expect(tunnelled.answers.map(({ framing }) => framing)).toEqual(framings);
  });
});
