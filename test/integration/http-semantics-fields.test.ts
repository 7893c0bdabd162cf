/** Header fields, trailers and what the edge adds to them, compared line by line on both sides of a tunnel. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { lineName, type RawHead, type RawMessage, statusOf, valuesOf } from '../support/raw-http.ts';
import {
  addedNames,
  type SemanticsWorld,
  startSemanticsWorld,
  transports,
  withoutAdded,
  withoutVia,
} from '../support/semantics-world.ts';
import { testHost } from '../support/tunnel-world.ts';
import { startTestAgent } from '../support/world.ts';

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Sends a request on a connection of its own; returns what the origin got and the client got. */
async function exchange(
  world: SemanticsWorld,
  request: string,
  answer: string = plain,
): Promise<{ seen: RawMessage; response: RawMessage }> {
  world.origin.answer(answer);
  await using client = await world.connect();
  client.write(request);
  const response = await client.readResponse(request.slice(0, request.indexOf(' ')));
  const seen = world.origin.requests.at(-1);
  if (seen === undefined) throw new Error(`the origin got nothing; the client: ${response.startLine}`);
  return { seen, response };
}

function get(...lines: string[]): string {
  return ['GET /path?q=1 HTTP/1.1', `Host: ${testHost}`, ...lines, '', ''].join('\r\n');
}

describe.each(transports)('fields over $name', ({ transport }) => {
  let world: SemanticsWorld;

  beforeAll(async () => {
    world = await startSemanticsWorld({ transport });
  });
  afterAll(async () => world[Symbol.asyncDispose]());
  beforeEach(() => world.origin.reset());

  it('H9 request lines keep order, case and repetition, and what the edge adds stands behind them', async () => {
    const lines = [
      'uSER-aGENT: odd/1.0 (x; y)',
      'X-B: 1',
      'Accept: */*',
      'x-b: 2',
      'X-B: 3',
      'Cookie: a=1; b="2"',
      'cookie: c=3',
      "X!#$%&'*+-.^_`|~9: token name",
      'X-Latin: caf\xe9 \x80\xff',
      'X-Utf8: \xc3\xa9\xe2\x82\xac',
      'X-Inner:  two  spaces\tand a tab'.replace(':  ', ': '),
      'X-Colon: a:b::c',
      'If-None-Match: W/"1", "2"',
      `X-Long: ${'v'.repeat(8000)}`,
      'authorization: Basic dTpw',
      'Proxy-Authorization: Basic dTpw',
      'Cache-Control: no-cache',
      'Pragma: no-cache',
      'Accept-Encoding: gzip, br;q=0.5, zstd',
      '__proto__: x',
      'constructor: y',
    ];
    const { seen } = await exchange(world, get(...lines));
    expect(seen.startLine).toBe('GET /path?q=1 HTTP/1.1');
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, ...lines]);
    expect(seen.lines.slice(-addedNames.length).map(lineName)).toEqual(addedNames);
  });

  it('H9 empty values stay, and white space around a value is no part of it', async () => {
    const { seen } = await exchange(world, get('X-Empty:', 'X-Blank: \t ', 'X-Tight:v', 'X-Wide: \t v \t '));
    const odd = seen.lines.filter(
      (line) => line.startsWith('X-') && !line.startsWith('X-Forwarded') && !line.startsWith('X-Request'),
    );
    expect(odd.map((line) => line.trimEnd())).toEqual(['X-Empty:', 'X-Blank:', 'X-Tight: v', 'X-Wide: v']);
  });

  it('H9 response lines keep order, case and repetition; three Set-Cookie stay three', async () => {
    const lines = [
      'sEt-CoOkIe: a=1; Path=/; Expires=Thu, 01 Jan 2026 00:00:00 GMT',
      'X-First: 1',
      'Set-Cookie: b=2',
      'WWW-Authenticate: Basic realm="a, b"',
      'WWW-Authenticate: Digest realm="c", nonce="d"',
      'Set-Cookie: c=3; HttpOnly',
      'x-first: 2',
      'X-Latin: caf\xe9',
      'Vary: Accept-Encoding',
      'vary: Origin',
      'Server: odd',
      'Date: Thu, 01 Jan 2026 00:00:00 GMT',
      'content-LENGTH: 2',
      'Via: 1.1 inner',
      'X-Powered-By: PHP',
      'Strict-Transport-Security: max-age=1',
    ];
    const { response } = await exchange(world, get(), ['HTTP/1.1 200 OK', ...lines, '', 'ok'].join('\r\n'));
    expect(response.startLine).toBe('HTTP/1.1 200 OK');
    expect(response.lines.slice(0, -1)).toEqual(lines);
    expect(response.lines.at(-1)).toMatch(/^Via: 1\.1 giraffe-[0-9a-f]+$/);
    expect(response.body.toString()).toBe('ok');
  });

  it.each([
    'HTTP/1.1 299 Something, quite  unusual: really',
    'HTTP/1.1 418 ',
    'HTTP/1.1 599 Network \xe9rror',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 431 Request Header Fields Too Large',
    'HTTP/1.1 500 Internal Server Error',
    'HTTP/1.1 502 Bad Gateway',
    'HTTP/1.1 503 Service Unavailable',
    'HTTP/1.1 504 Gateway Timeout',
    'HTTP/1.1 401 Unauthorized',
    'HTTP/1.1 426 Upgrade Required',
  ])("H9 the status line %j is the origin's own", async (startLine) => {
    const { response } = await exchange(world, get(), `${startLine}\r\nContent-Length: 2\r\n\r\nno`);
    expect(response.startLine).toBe(startLine);
    expect(withoutVia(response)).toEqual(['Content-Length: 2']);
    expect(response.body.toString()).toBe('no');
  });

  it.each([301, 302, 303, 307, 308])('H10 a redirect %i passes untouched', async (status) => {
    const location = 'http://127.0.0.1:3000/inner?next=https%3A%2F%2Fapp.test%2F#part';
    const answer = `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Location: /x\r\nContent-Length: 5\r\n\r\nmoved`;
    const { response } = await exchange(world, get(), answer);
    expect(response.startLine).toBe(`HTTP/1.1 ${status} Moved`);
    expect(withoutVia(response)).toEqual([`Location: ${location}`, 'Content-Location: /x', 'Content-Length: 5']);
    expect(response.body.toString()).toBe('moved');
  });

  it('H10 Host reaches the origin as it was written', async () => {
    const { seen } = await exchange(world, 'GET / HTTP/1.1\r\nhOsT: APP.Test:8081\r\n\r\n');
    expect(seen.lines[0]).toBe('hOsT: APP.Test:8081');
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['APP.Test:8081']);
    expect(valuesOf(seen, 'x-forwarded-port')).toEqual(['8081']);
  });

  it('H10 forwarding fields come from the socket; what the client claims is replaced', async () => {
    const claims = [
      'X-Forwarded-For: 6.6.6.6',
      'x-forwarded-for: 6.6.6.7',
      'X-FORWARDED-HOST: evil.test',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 666',
      'Forwarded: for=6.6.6.6;host=evil.test;proto=https',
      'X-Real-IP: 6.6.6.6',
      'X_Forwarded_For: 6.6.6.6',
      'X-Forwarded_Host: evil.test',
      'x_real_ip: 6.6.6.6',
    ];
    const { seen } = await exchange(world, get(...claims));
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual([testHost]);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(seen, 'x-forwarded-port')).toEqual(['80']);
    expect(valuesOf(seen, 'forwarded')).toEqual([`for=127.0.0.1;host=${testHost};proto=http`]);
    expect(valuesOf(seen, 'x-real-ip')).toEqual(['127.0.0.1']);
    expect(seen.lines.join('\n')).not.toMatch(/6\.6\.6\.|evil|666/);
  });

  it('H10 hop-by-hop fields of a request end at the edge', async () => {
    const hop = [
      'Connection: close, X-Hop',
      'connection: keep-alive',
      'X-Hop: 1',
      'x-hop: 2',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: gzip;q=0.5',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
    ];
    const { seen } = await exchange(world, get('X-Before: 1', ...hop, 'X-After: 2'));
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, 'X-Before: 1', 'X-After: 2']);
  });

  it('H10 hop-by-hop fields of a response end at the agent', async () => {
    const hop = [
      'Connection: keep-alive, X-Hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Upgrade: h2c',
    ];
    const answer = ['HTTP/1.1 200 OK', 'X-Before: 1', ...hop, 'Content-Length: 2', 'X-After: 2', '', 'ok'].join('\r\n');
    const { response } = await exchange(world, get(), answer);
    expect(withoutVia(response)).toEqual(['X-Before: 1', 'Content-Length: 2', 'X-After: 2']);
  });

  it('H10 Connection options that name end-to-end fields do not strip them', async () => {
    const kept = ['Authorization: Bearer x', 'Cookie: a=1', 'Content-Type: text/plain', 'Via: 1.0 inner'];
    const { seen } = await exchange(world, get('Connection: authorization, Cookie, HOST, content-type, via', ...kept));
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, ...kept.slice(0, -1)]);
    expect(valuesOf(seen, 'via')[0]).toBe('1.0 inner');
  });

  it('hardening 11: a Connection option cannot strip what the edge adds', async () => {
    const options =
      'X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Port, Forwarded, Via, X-Request-Id';
    const { seen } = await exchange(
      world,
      get(`Connection: ${options}`, 'X-Request-Id: mine', 'X-Forwarded-For: 6.6.6.6'),
    );
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual([testHost]);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(seen, 'forwarded')).toHaveLength(1);
    expect(valuesOf(seen, 'via')).toHaveLength(1);
    expect(valuesOf(seen, 'x-request-id')).toHaveLength(1);
  });

  it('H10 more Connection options than anybody needs are refused', async () => {
    await using client = await world.connect();
    client.write(get(`Connection: ${Array.from({ length: 17 }, (_, index) => `x-${index}`).join(', ')}`));
    expect(statusOf(await client.readResponse())).toBe(400);
    expect(world.origin.heads).toEqual([]);
  });

  it('H10 TE: trailers and the trailers themselves pass, both ways', async () => {
    const request = [
      'POST /sum HTTP/1.1',
      `Host: ${testHost}`,
      'TE: gzip, trailers',
      'Connection: TE',
      'Trailer: X-Sum, x-other',
      'Transfer-Encoding: chunked',
      '',
      '3;ext="v"',
      'abc',
      '0',
      'X-Sum: 1',
      'x-OTHER: 2',
      'X-Sum: 3',
      '',
      '',
    ].join('\r\n');
    const answer = [
      'HTTP/1.1 200 OK',
      'Trailer: Grpc-Status',
      'Transfer-Encoding: chunked',
      '',
      '2',
      'ok',
      '0',
      'grpc-STATUS: 0',
      'Server-Timing: a;dur=1',
      'Server-Timing: b;dur=2',
      '',
      '',
    ].join('\r\n');
    const { seen, response } = await exchange(world, request, answer);
    expect(valuesOf(seen, 'te')).toEqual(['trailers']);
    expect(valuesOf(seen, 'connection')).toEqual(['TE']);
    expect(valuesOf(seen, 'trailer')).toEqual(['X-Sum, x-other']);
    expect(seen).toMatchObject({
      framing: 'chunked',
      body: Buffer.from('abc'),
      trailers: ['X-Sum: 1', 'x-OTHER: 2', 'X-Sum: 3'],
    });
    expect(valuesOf(response, 'trailer')).toEqual(['Grpc-Status']);
    expect(response).toMatchObject({
      framing: 'chunked',
      body: Buffer.from('ok'),
      trailers: ['grpc-STATUS: 0', 'Server-Timing: a;dur=1', 'Server-Timing: b;dur=2'],
    });
  });

  it('H10 trailers that would frame, route or claim something are left out', async () => {
    const bad = [
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'Host: evil.test',
      'X-Forwarded-For: 6.6.6.6',
      'Via: 1.1 x',
    ];
    const chunked = (start: string[]): string =>
      [...start, 'Transfer-Encoding: chunked', '', '1', 'x', '0', ...bad, 'X-Good: 1', '', ''].join('\r\n');
    const { seen, response } = await exchange(
      world,
      chunked(['POST / HTTP/1.1', `Host: ${testHost}`]),
      chunked(['HTTP/1.1 200 OK']),
    );
    expect(seen.trailers).toEqual(['X-Good: 1']);
    expect(response.trailers).toEqual(['X-Good: 1']);
  });

  it('H10 Via is added behind earlier hops, with the version that came in', async () => {
    const { seen, response } = await exchange(
      world,
      get('Via: 1.0 fred, 1.1 p.example.net').replace('HTTP/1.1', 'HTTP/1.0'),
      'HTTP/1.0 200 OK\r\nVia: 1.1 inner\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(valuesOf(seen, 'via')).toEqual(['1.0 fred, 1.1 p.example.net', expect.stringMatching(/^1\.0 giraffe-/)]);
    expect(valuesOf(response, 'via')).toEqual(['1.1 inner', expect.stringMatching(/^1\.0 giraffe-/)]);
    expect(valuesOf(seen, 'via')[0]).not.toContain(valuesOf(response, 'via')[1]);
  });

  it('H10 a valid X-Request-Id is kept where it stands, and is in the log', async () => {
    const { seen } = await exchange(world, get('x-REQUEST-id: Trace.1:a@b/c+d=e-f_~', 'X-Last: 1'));
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, 'X-Last: 1']);
    expect(seen.lines[1]).toBe('x-REQUEST-id: Trace.1:a@b/c+d=e-f_~');
    expect(world.edge.log).toContainEqual(expect.objectContaining({ requestId: 'Trace.1:a@b/c+d=e-f_~', status: 200 }));
  });

  it.each([
    ['none', []],
    ['an empty one', ['X-Request-Id:']],
    ['one with a space', ['X-Request-Id: a b']],
    ['one with a quote', ['X-Request-Id: a"b']],
    ['one with a comma', ['X-Request-Id: a,b']],
    ['one with an escape of latin1', ['X-Request-Id: \xe9']],
    ['one of 129 characters', [`X-Request-Id: ${'x'.repeat(129)}`]],
  ])('H10 a request with %s gets an X-Request-Id made by the edge', async (_name, lines) => {
    const { seen } = await exchange(world, get(...lines));
    expect(valuesOf(seen, 'x-request-id')).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{16}$/)]);
  });

  it('H10 of two X-Request-Id lines the first one counts, and one arrives', async () => {
    const { seen } = await exchange(world, get('X-Request-Id: one', 'X-Request-Id: two'));
    expect(valuesOf(seen, 'x-request-id')).toEqual(['one']);
  });

  it('H10 trace context passes untouched', async () => {
    const lines = [
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'tracestate: a=1',
      'tracestate: b=2',
      'baggage: k=v',
      'b3: 0',
    ];
    const { seen, response } = await exchange(world, get(...lines));
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, ...lines]);
    expect(withoutVia(response)).toEqual(['Content-Length: 2']);
  });

  it('H9 64 KiB of request head pass; one octet more is refused with 431 and reaches no origin', async () => {
    const padded = (bytes: number): string => {
      const lines = Array.from({ length: 15 }, (_, index) => `X-Pad-${index}: ${'p'.repeat(4000)}`);
      const rest = bytes - get(...lines, 'X-Rest: ').length;
      return get(...lines, `X-Rest: ${'r'.repeat(rest)}`);
    };
    const fitting = padded(65_536);
    expect(fitting).toHaveLength(65_536);
    const { seen, response } = await exchange(world, fitting);
    expect(statusOf(response)).toBe(200);
    expect(withoutAdded(seen).join('\r\n')).toBe(fitting.split('\r\n').slice(1, -2).join('\r\n'));

    world.origin.reset();
    await using client = await world.connect();
    client.write(padded(65_537));
    const refused = await client.readResponse();
    expect(statusOf(refused)).toBe(431);
    expect(valuesOf(refused, 'connection')).toEqual(['close']);
    expect(refused.body.toString()).toContain('GIR_ERR_REQUEST_HEADERS_TOO_LARGE');
    expect((await client.rest()).length).toBe(0);
    expect(world.origin.heads).toEqual([]);
  });

  it('H9 256 request lines pass, 257 are refused with 431', async () => {
    const lines = (count: number): string => get(...Array.from({ length: count - 1 }, (_, index) => `X-L: ${index}`));
    const { seen } = await exchange(world, lines(256));
    expect(withoutAdded(seen)).toHaveLength(256);
    await using client = await world.connect();
    client.write(lines(257));
    expect(statusOf(await client.readResponse())).toBe(431);
  });

  it('H9 64 KiB of response head pass; what is too large even for the agent is a 502 of its own', async () => {
    const head = (count: number): string => {
      const lines = Array.from({ length: count }, (_, index) => `Set-Cookie: c${index}=${'v'.repeat(1000)}`);
      return ['HTTP/1.1 200 OK', ...lines, 'Content-Length: 2', '', 'ok'].join('\r\n');
    };
    const { response } = await exchange(world, get(), head(200));
    expect(valuesOf(response, 'set-cookie')).toHaveLength(200);
    expect(response.body.toString()).toBe('ok');

    const { response: refused } = await exchange(world, get(), head(400));
    expect(statusOf(refused)).toBe(502);
    expect(refused.body.toString()).toContain('GIR_ERR_RESPONSE_HEADERS_TOO_LARGE');
  });
});

describe('fields with other settings', () => {
  it('H9 the limits of a request head can be raised and lowered', async () => {
    await using raised = await startSemanticsWorld({ limits: { maxHeadBytes: 512 * 1024, maxFieldLines: 3000 } });
    const lines = Array.from({ length: 2500 }, (_, index) => `X-Line-${index}: ${'v'.repeat(150)}`);
    const { seen } = await exchange(raised, get(...lines));
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, ...lines]);

    const largest = edgeSettings.maxHeaderSize.schema.parse('960KiB');
    await using largestWorld = await startSemanticsWorld({ limits: { maxHeadBytes: largest } });
    const { seen: large } = await exchange(largestWorld, get(`X-Long: ${'v'.repeat(largest - 100)}`));
    expect(valuesOf(large, 'x-long')[0]).toHaveLength(largest - 100);
    expect(() => edgeSettings.maxHeaderSize.schema.parse('1MiB')).toThrow();

    await using lowered = await startSemanticsWorld({ limits: { maxHeadBytes: 1024 } });
    await using client = await lowered.connect();
    client.write(get(`X-Pad: ${'p'.repeat(1024)}`));
    expect(statusOf(await client.readResponse())).toBe(431);
  });

  it('H10 what a trusted proxy says is believed and continued', async () => {
    await using world = await startSemanticsWorld({ edge: { trustedProxies: ['127.0.0.0/8', '2001:db8::/32'] } });
    const { seen } = await exchange(
      world,
      get(
        'X-Forwarded-For: 203.0.113.7, 10.0.0.9',
        'X-Forwarded-Host: public.test',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Port: 443',
        'X-Real-IP: 203.0.113.7',
        'Forwarded: for=203.0.113.7;proto=https',
        'X_Forwarded_For: 6.6.6.6',
      ),
    );
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['203.0.113.7, 10.0.0.9, 127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-host')).toEqual(['public.test']);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['https']);
    expect(valuesOf(seen, 'x-forwarded-port')).toEqual(['443']);
    expect(valuesOf(seen, 'x-real-ip')).toEqual(['203.0.113.7']);
    expect(valuesOf(seen, 'forwarded')).toEqual([
      `for=203.0.113.7;proto=https, for=127.0.0.1;host=${testHost};proto=http`,
    ]);
    expect(seen.lines.join()).not.toContain('6.6.6.6');
  });

  it('H10 a proxy that is not in trustedProxies is a client like any other', async () => {
    await using world = await startSemanticsWorld({ edge: { trustedProxies: ['10.0.0.0/8'] } });
    const { seen } = await exchange(world, get('X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https'));
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
  });

  it('hardening 12: Host is kept, rewritten to the target, or set, as the agent was told', async () => {
    await using world = await startSemanticsWorld();
    const target = `127.0.0.1:${world.origin.port}`;
    const { ports } = world.edge.edge;
    await using _rewriting = await startTestAgent(ports, 'rewritten.test', target, { hostHeader: 'rewrite' });
    await using _fixed = await startTestAgent(ports, 'fixed.test', target, {
      hostHeader: { value: 'inner.example:1234' },
    });
    await using _numbered = await startTestAgent(ports, 'numbered.test', String(world.origin.port), {
      hostHeader: 'rewrite',
    });

    const hostSeen = async (host: string): Promise<RawHead> =>
      (await exchange(world, `GET / HTTP/1.1\r\nX-Before: 1\r\nhost: ${host}\r\nX-After: 1\r\n\r\n`)).seen;
    const preserved = await hostSeen(testHost);
    expect(preserved.lines.slice(0, 3)).toEqual(['X-Before: 1', `host: ${testHost}`, 'X-After: 1']);
    const rewritten = await hostSeen('rewritten.test');
    expect(rewritten.lines.slice(0, 3)).toEqual(['X-Before: 1', `host: ${target}`, 'X-After: 1']);
    expect(valuesOf(rewritten, 'x-forwarded-host')).toEqual(['rewritten.test']);
    expect(valuesOf(await hostSeen('fixed.test'), 'host')).toEqual(['inner.example:1234']);
    expect(valuesOf(await hostSeen('numbered.test'), 'host')).toEqual([`localhost:${world.origin.port}`]);
  });

  it('H9 nine hundred of the largest heads at once are answered or refused, and the tunnel serves on', async () => {
    await using world = await startSemanticsWorld();
    const request = get(`X-Large: ${'v'.repeat(64_000)}`);
    const clients = await Promise.all(Array.from({ length: 900 }, () => world.connect()));
    for (const client of clients) client.write(request.slice(0, -4));
    for (const client of clients) client.write('\r\n\r\n');
    const statuses = await Promise.all(clients.map(async (client) => statusOf(await client.readResponse())));
    for (const client of clients) client.socket.destroy();
    expect([...new Set(statuses)].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(world.edge.log.filter(({ message }) => message === 'carrier closed')).toEqual([]);
    expect(statusOf((await exchange(world, get())).response)).toBe(200);
  });
});
