/**
 * S4 and hardening 5: requests that two parties could read differently, on bare sockets, with a real agent and an origin
 * that records each octet. The attack follows a good request on the same connection and hides another one.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converse, rawClient, statuses } from '../support/raw-client.ts';
import { type RecordingOrigin, startRecordingOrigin } from '../support/recording-origin.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from '../support/world.ts';

const hidden = 'GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n';
const first = 'GET /first HTTP/1.1\r\nHost: a.test\r\n\r\n';
const start = 'POST /attack HTTP/1.1\r\nHost: a.test\r\n';
const chunked = `${start}Transfer-Encoding: chunked\r\n\r\n`;

/** Heads that nobody may forward: the origin must not see a single octet of them. */
const badHeads: readonly (readonly [what: string, text: string])[] = [
  // Two framings.
  ['CL.TE', `${start}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['TE.CL', `${start}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n`],
  ['CL.TE with an empty length', `${start}Content-Length:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  // Content-Length.
  ['two equal Content-Length lines', `${start}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  ['two different Content-Length lines', `${start}Content-Length: 0\r\nContent-Length: 41\r\n\r\n`],
  ['a list of equal lengths', `${start}Content-Length: 0, 0\r\n\r\n`],
  ['a length with plus', `${start}Content-Length: +0\r\n\r\n`],
  ['a negative length', `${start}Content-Length: -1\r\n\r\n`],
  ['a hexadecimal length', `${start}Content-Length: 0x0\r\n\r\n`],
  ['a length of 2^64', `${start}Content-Length: 18446744073709551616\r\n\r\n`],
  ['a length with a decimal point', `${start}Content-Length: 0.0\r\n\r\n`],
  // Transfer-Encoding.
  ['TE: identity, chunked', `${start}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n`],
  ['TE: gzip, chunked', `${start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['TE: chunked, identity', `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ['TE: ,chunked', `${start}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n`],
  ['TE: xchunked', `${start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['TE with a vertical tab', `${start}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
  ['two TE lines', `${start}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two TE lines, one unknown', `${start}Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['TE in HTTP/1.0', 'POST /attack HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  // Names.
  ['a space before the colon', `${start}Content-Length : 41\r\n\r\n`],
  ['a tab before the colon', `${start}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`],
  ['Content_Length', `${start}Content_Length: 41\r\n\r\n`],
  ['Transfer_Encoding', `${start}Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['an empty name', `${start}: 1\r\n\r\n`],
  ['a name with a NUL', `${start}Content-Length\0: 41\r\n\r\n`],
  ['a name with an octet above 127', `${start}X\xa0: 1\r\n\r\n`],
  ['a line without a colon', `${start}Content-Length\r\n\r\n`],
  // Lines.
  ['obs-fold', `${start}X: 1\r\n Content-Length: 41\r\n\r\n`],
  ['obs-fold with a tab in Transfer-Encoding', `${start}Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n`],
  ['a bare LF between lines', `${start}X: 1\nContent-Length: 41\r\n\r\n`],
  ['a bare LF at the end', 'GET /attack HTTP/1.1\nHost: a.test\n\n'],
  ['a bare CR in a value', `${start}X: 1\rContent-Length: 41\r\n\r\n`],
  ['CR CR LF', `${start}X: 1\r\r\nContent-Length: 41\r\n\r\n`],
  ['a NUL in a value', `${start}X: a\0b\r\n\r\n`],
  ['an ESC in a value', `${start}X: \x1b[2J\r\n\r\n`],
  ['white space before the first field', 'GET /attack HTTP/1.1\r\n X: 1\r\nHost: a.test\r\n\r\n'],
  // Request lines.
  ['no version', 'GET /attack\r\nHost: a.test\r\n\r\n'],
  ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/1.2', 'GET /attack HTTP/1.2\r\nHost: a.test\r\n\r\n'],
  ['two spaces', 'GET  /attack HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a space in the target', 'GET /attack HTTP/1.1 /x HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a tab as separator', 'GET\t/attack HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a NUL in the target', 'GET /attack\0 HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a bare CR in the target', 'GET /attack\rX HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a fragment in the target', 'GET /attack#x HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a target that is no path', 'GET attack HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['a method that is no token', 'GE{T /attack HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  // Whose request it is.
  ['two Host lines', 'GET /attack HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n'],
  ['two equal Host lines', 'GET /attack HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n'],
  ['no Host', 'GET /attack HTTP/1.1\r\nX: 1\r\n\r\n'],
  ['an empty Host', 'GET /attack HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a Host with userinfo', 'GET /attack HTTP/1.1\r\nHost: b.test@a.test\r\n\r\n'],
  ['a Host with a path', 'GET /attack HTTP/1.1\r\nHost: a.test/b.test\r\n\r\n'],
  ['a list of hosts', 'GET /attack HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n'],
  ['an absolute target for another host', 'GET http://a.test/attack HTTP/1.1\r\nHost: b.test\r\n\r\n'],
  ['an absolute target with userinfo', 'GET http://b.test@a.test/attack HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  ['an absolute target without Host', 'GET http://a.test/attack HTTP/1.0\r\n\r\n'],
  ['an absolute target of another scheme', 'GET gopher://a.test/attack HTTP/1.1\r\nHost: a.test\r\n\r\n'],
  [
    '17 options of Connection',
    `${start}Connection: ${Array.from({ length: 17 }, (_, at) => `o${at}`).join(',')}\r\n\r\n`,
  ],
];

/** Good heads whose bodies break the rules: the origin may see the head, never what hides behind the breach. */
const badBodies: readonly (readonly [what: string, text: string])[] = [
  ['a chunk size with 0x', `${chunked}0x0\r\n\r\n`],
  ['a chunk size with plus', `${chunked}+0\r\n\r\n`],
  ['a negative chunk size', `${chunked}-1\r\n\r\n`],
  ['an empty chunk size', `${chunked}\r\n\r\n`],
  ['a chunk size of 2^64', `${chunked}10000000000000000\r\n`],
  ['a chunk size with an underscore', `${chunked}0_0\r\n\r\n`],
  ['a space inside the chunk size', `${chunked}0 0\r\n\r\n`],
  ['a bare LF behind the chunk size', `${chunked}0\n\r\n`],
  ['a bare CR in a chunk line', `${chunked}0;\rx\r\n\r\n`],
  ['a bare LF in a chunk extension', `${chunked}0;x\n\r\n\r\n`],
  ['chunk data longer than its size', `${chunked}1\r\nabc\r\n0\r\n\r\n`],
  ['chunk data that ends in a bare LF', `${chunked}1\r\na\n0\r\n\r\n`],
  ['chunk data that ends in CR alone', `${chunked}1\r\na\r0\r\n\r\n`],
  ['a trailer without a colon', `${chunked}0\r\nX\r\n\r\n`],
  ['a trailer with obs-fold', `${chunked}0\r\nX: 1\r\n Y: 2\r\n\r\n`],
  ['a trailer with a bare LF', `${chunked}0\r\nX: 1\nY: 2\r\n\r\n`],
];

let edge: TestEdge;
let origin: RecordingOrigin;
let agent: TestAgent;

beforeAll(async () => {
  edge = await startTestEdge();
  origin = await startRecordingOrigin();
  agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`);
});

afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
  await edge[Symbol.asyncDispose]();
});

/** Request lines that the origin got since `from`. */
function requestLines(from: number): string[] {
  return [...origin.text.slice(from).matchAll(/(?:GET|POST|OPTIONS|HEAD) \S* HTTP\/1\.[01]/g)].map(([line]) => line);
}

describe('heads that two parties read differently', () => {
  it.each(badHeads)(
    'S4 hardening 5: %s: 400, closed, and the good request before it is answered',
    async (_what, attack) => {
      const before = origin.text.length;
      const answer = await converse(edge.edge.ports.proxy, first + attack + hidden);
      expect(statuses(answer)).toEqual([200, 400]);
      expect(answer.slice(answer.indexOf('HTTP/1.1 400'))).toMatch(/\r\nConnection: close\r\n/i);
      expect(requestLines(before)).toEqual(['GET /first HTTP/1.1']);
      expect(origin.text).not.toContain('attack');
    },
  );

  it.each(badHeads)('S4 hardening 5: %s: 400 also when it comes octet by octet', async (_what, attack) => {
    using client = await rawClient(edge.edge.ports.proxy, '', { halfOpen: false });
    for (const octet of Buffer.from(attack + hidden, 'latin1')) client.send(Buffer.of(octet));
    await client.closed;
    expect(statuses(client.text)).toEqual([400]);
    expect(origin.text).not.toContain('attack');
  });
});

describe('bodies that two parties read differently', () => {
  it.each(badBodies)('S4 %s: 400, closed, and nothing hidden gets through', async (_what, attack) => {
    const before = origin.text.length;
    const answer = await converse(edge.edge.ports.proxy, first + attack + hidden);
    expect(statuses(answer)).toEqual([200, 400]);
    expect(requestLines(before).filter((line) => line !== 'POST /attack HTTP/1.1')).toEqual(['GET /first HTTP/1.1']);
    expect(origin.text).not.toContain('/hidden');
  });
});

describe('what is refused with another status', () => {
  it.each([
    ['more field lines than allowed', `GET /attack HTTP/1.1\r\nHost: a.test\r\n${'X: 1\r\n'.repeat(3000)}\r\n`, 431],
    ['a head larger than allowed', `GET /attack HTTP/1.1\r\nHost: a.test\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
    ['a target larger than allowed', `GET /attack${'x'.repeat(70_000)} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 431],
    ['CONNECT', `CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n`, 501],
    ['a host that nobody serves', 'GET /attack HTTP/1.1\r\nHost: unknown.test\r\nConnection: close\r\n\r\n', 404],
    ['a host with a suffix', 'GET /attack HTTP/1.1\r\nHost: a.test.evil.test\r\nConnection: close\r\n\r\n', 404],
  ])('S4 %s', async (_what, attack, status) => {
    const answer = await converse(edge.edge.ports.proxy, `${attack}`);
    expect(statuses(answer)).toEqual([status]);
    expect(origin.text).not.toContain('attack');
  });

  it('S4 CONNECT opens no tunnel: what follows it reaches nobody', async () => {
    const before = origin.text.length;
    const answer = await converse(edge.edge.ports.proxy, `CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n${hidden}`);
    expect(statuses(answer)).toEqual([501]);
    expect(origin.text.slice(before)).toBe('');
  });
});

describe('what is forwarded cannot be read differently behind us', () => {
  const close = 'Connection: close\r\n\r\n';

  it('S4 a body that looks like a request stays a body', async () => {
    const before = origin.text.length;
    const text = `${start}Content-Length: ${hidden.length}\r\n\r\n${hidden}GET /last HTTP/1.1\r\nHost: a.test\r\n${close}`;
    const answer = await converse(edge.edge.ports.proxy, text);
    expect(statuses(answer).at(-1)).toBe(200);
    expect(origin.text.slice(before)).toContain(`\r\nContent-Length: ${hidden.length}\r\n`);
    expect(edge.log.filter((line) => line['path'] === '/hidden')).toEqual([]);
  });

  it.each([
    [
      'Connection: Content-Length',
      `Connection: Content-Length, close\r\nContent-Length: 3\r\n\r\nabc`,
      'Content-Length: 3',
    ],
    ['Connection: Host', `Connection: Host, close\r\n\r\n`, 'Host: a.test'],
    ['Connection: X-Forwarded-For', `Connection: X-Forwarded-For, close\r\n\r\n`, 'X-Forwarded-For: 127.0.0.1'],
    ['Connection: Via', `Connection: Via, close\r\n\r\n`, 'Via: 1.1 giraffe-'],
  ])('S4 %s strips nothing that matters', async (_what, rest, line) => {
    const before = origin.text.length;
    expect(statuses(await converse(edge.edge.ports.proxy, start + rest))).toEqual([200]);
    expect(origin.text.slice(before)).toContain(`\r\n${line}`);
  });

  it('S4 an absolute target becomes a path, and its authority is not passed on twice', async () => {
    const before = origin.text.length;
    const text = `GET http://A.test:80/absolute?x HTTP/1.1\r\nHost: a.test\r\n${close}`;
    expect(statuses(await converse(edge.edge.ports.proxy, text))).toEqual([200]);
    expect(requestLines(before)).toEqual(['GET /absolute?x HTTP/1.1']);
  });

  it.each(['h2c', 'HTTP/2.0', 'websocket, h2c', 'TLS/1.2'])(
    'S4 Upgrade: %s is not passed on, since requests could flow through it',
    async (token) => {
      const before = origin.text.length;
      const text = `GET /up HTTP/1.1\r\nHost: a.test\r\nUpgrade: ${token}\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\r\n`;
      expect(statuses(await converse(edge.edge.ports.proxy, text))).toEqual([200]);
      expect(origin.text.slice(before)).not.toMatch(/upgrade|http2-settings/i);
    },
  );

  it('S4 what follows a refused upgrade is the next request, with its own head', async () => {
    const before = origin.text.length;
    const upgrade = 'GET /ws HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
    const answer = await converse(edge.edge.ports.proxy, `${upgrade}GET /after HTTP/1.1\r\nHost: a.test\r\n${close}`);
    expect(statuses(answer)).toEqual([200, 200]);
    expect(requestLines(before)).toEqual(['GET /ws HTTP/1.1', 'GET /after HTTP/1.1']);
  });

  it('S4 an upgrade with a body is an ordinary request', async () => {
    const before = origin.text.length;
    const text = `${start}Upgrade: websocket\r\nConnection: Upgrade, close\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`;
    expect(statuses(await converse(edge.edge.ports.proxy, text))[0]).toBe(200);
    expect(origin.text.slice(before)).not.toMatch(/upgrade:/i);
    expect(edge.log.filter((line) => line['path'] === '/hidden')).toEqual([]);
  });

  it('S4 trailers cannot frame or route', async () => {
    const before = origin.text.length;
    const trailers =
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b.test\r\nX-Forwarded-For: 1.2.3.4\r\nX-Sum: 1\r\n';
    const text = `${start}${close.replace('\r\n\r\n', '\r\n')}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n${trailers}\r\n`;
    expect(statuses(await converse(edge.edge.ports.proxy, text))).toContain(200);
    const sent = origin.text.slice(before);
    expect(sent).toContain('0\r\nX-Sum: 1\r\n\r\n');
    expect(sent).not.toContain('b.test');
    expect(sent).not.toContain('1.2.3.4');
  });

  it('S4 a pipelined burst of good requests is answered one by one, in order', async () => {
    const before = origin.text.length;
    const text = Array.from({ length: 20 }, (_, at) => `GET /n${at} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join('');
    const answer = await converse(edge.edge.ports.proxy, `${text}GET /n20 HTTP/1.1\r\nHost: a.test\r\n${close}`);
    expect(statuses(answer)).toEqual(Array.from({ length: 21 }, () => 200));
    expect(requestLines(before)).toEqual(Array.from({ length: 21 }, (_, at) => `GET /n${at} HTTP/1.1`));
  });
});
