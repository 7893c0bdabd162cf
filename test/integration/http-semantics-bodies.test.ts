/** Bodies and their framing, present and absent, compared octet by octet on both sides of a tunnel. */
import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawHead, type RawMessage, type RawPeer, statusOf, valuesOf } from '../support/raw-http.ts';
import {
  type SemanticsWorld,
  startSemanticsWorld,
  transports,
  withoutAdded,
  withoutVia,
} from '../support/semantics-world.ts';
import { sha256 } from '../support/sha256.ts';
import { testHost } from '../support/tunnel-world.ts';

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const largeBytes = 20 * 1024 * 1024;

function head(startLine: string, ...lines: string[]): string {
  return [startLine, `Host: ${testHost}`, ...lines, '', ''].join('\r\n');
}

/** Returns a chunked body without trailers. */
function chunked(body: Buffer, chunkBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Zstandard by hand, since Node 20 has none: a frame with one raw block. */
function zstdRaw(body: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 0]);
  header.writeUInt16LE(body.length - 256, 5);
  const block = Buffer.alloc(3);
  block.writeUIntLE((body.length << 3) | 1, 0, 3);
  return Buffer.concat([header, block, body]);
}

describe.each(transports)('bodies over $name', ({ transport }) => {
  let world: SemanticsWorld;

  beforeAll(async () => {
    world = await startSemanticsWorld({ transport });
  });
  afterAll(async () => world[Symbol.asyncDispose]());
  beforeEach(() => world.origin.reset());

  /** Sends a request and returns both ends' view; the connection stays usable, which a second request shows. */
  async function exchange(
    request: string | Buffer,
    answer: string | Buffer = plain,
    method = 'GET',
  ): Promise<{ seen: RawMessage; response: RawMessage }> {
    world.origin.answer(answer);
    await using client = await world.connect();
    client.write(request);
    const response = await client.readResponse(method);
    const seen = world.origin.requests.at(-1);
    if (seen === undefined) throw new Error(`the origin got nothing; the client: ${response.startLine}`);
    await expectUsable(client);
    return { seen, response };
  }

  async function expectUsable(client: RawPeer): Promise<void> {
    world.origin.answer('HTTP/1.1 204 No Content\r\nX-Probe: 1\r\n\r\n');
    client.write(head('GET /probe HTTP/1.1'));
    const probe = await client.readResponse();
    expect(probe.startLine).toBe('HTTP/1.1 204 No Content');
    expect(valuesOf(probe, 'x-probe')).toEqual(['1']);
  }

  function framingLines(message: RawHead): string[] {
    return message.lines.filter((line) => /^(?:content-length|transfer-encoding):/i.test(line));
  }

  describe.each(['MKCOL', 'PROPFIND', 'POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'REPORT', 'odd-Method'])(
    '%s',
    (method) => {
      it('hardening 4: no body gets no framing', async () => {
        const { seen } = await exchange(head(`${method} /dav HTTP/1.1`, 'Depth: 1'));
        expect(seen.startLine).toBe(`${method} /dav HTTP/1.1`);
        expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, 'Depth: 1']);
      });

      it('hardening 4: a body of zero octets stays one', async () => {
        const { seen } = await exchange(head(`${method} /dav HTTP/1.1`, 'content-LENGTH: 0', 'Depth: 1'));
        expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, 'content-LENGTH: 0', 'Depth: 1']);
      });

      it('hardening 4: an empty chunked body stays one', async () => {
        const request = `${head(`${method} /dav HTTP/1.1`, 'Transfer-Encoding: chunked')}0\r\n\r\n`;
        const { seen } = await exchange(request);
        expect(framingLines(seen)).toEqual(['Transfer-Encoding: chunked']);
        expect(seen).toMatchObject({ framing: 'chunked', body: Buffer.alloc(0), trailers: [] });
      });

      it('hardening 3: Trailer without a body is a field like any other', async () => {
        const { seen } = await exchange(head(`${method} / HTTP/1.1`, 'Trailer: X-Sum', 'TE: trailers'));
        expect(valuesOf(seen, 'trailer')).toEqual(['X-Sum']);
        expect(framingLines(seen)).toEqual([]);
      });
    },
  );

  it('hardening 3: Trailer beside Content-Length, and an announced trailer that does not come, do no harm', async () => {
    const { seen } = await exchange(`${head('POST / HTTP/1.1', 'Trailer: X-Sum', 'Content-Length: 3')}abc`);
    expect(seen).toMatchObject({ framing: 'length', body: Buffer.from('abc') });
    const empty = await exchange(`${head('POST / HTTP/1.1', 'Trailer: X-Sum', 'Transfer-Encoding: chunked')}0\r\n\r\n`);
    expect(empty.seen).toMatchObject({ framing: 'chunked', trailers: [] });
    const { response } = await exchange(head('GET / HTTP/1.1'), 'HTTP/1.1 204 No Content\r\nTrailer: X-Sum\r\n\r\n');
    expect(withoutVia(response)).toEqual(['Trailer: X-Sum']);
  });

  it('hardening 4: a response of zero octets, an empty chunked one and one without a body stay different', async () => {
    const zero = await exchange(head('GET / HTTP/1.1'), 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(framingLines(zero.response)).toEqual(['Content-Length: 0']);
    const empty = await exchange(
      head('GET / HTTP/1.1'),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(framingLines(empty.response)).toEqual(['Transfer-Encoding: chunked']);
    const none = await exchange(head('GET / HTTP/1.1'), 'HTTP/1.1 204 No Content\r\n\r\n');
    expect(framingLines(none.response)).toEqual([]);
  });

  it.each(['GET', 'DELETE', 'POST', 'PROPFIND'])('H11 %s carries 20 MB with a length, and chunked', async (method) => {
    const body = randomBytes(largeBytes);
    const answer = (request: RawMessage): string => {
      const digest = sha256(request.body);
      return `HTTP/1.1 200 OK\r\nContent-Length: ${digest.length}\r\n\r\n${digest}`;
    };
    world.origin.answer(answer);
    await using client = await world.connect();
    client.write(head(`${method} /large HTTP/1.1`, `Content-Length: ${body.length}`));
    client.write(body);
    expect((await client.readResponse()).body.toString()).toBe(sha256(body));
    client.write(head(`${method} /large HTTP/1.1`, 'Transfer-Encoding: chunked'));
    client.write(chunked(body, 100_000));
    expect((await client.readResponse()).body.toString()).toBe(sha256(body));
    expect(world.origin.requests.map(({ framing }) => framing)).toEqual(['length', 'chunked']);
  });

  it.each([
    ['a length', ['Content-Length: 1048576', 'ETag: "x"']],
    ['Transfer-Encoding', ['ETag: "x"']],
    ['a length of zero', ['Content-Length: 0']],
    ['no framing', ['X-Only: 1']],
  ])('H6 HEAD with %s keeps its lines and has no body', async (name, lines) => {
    const sent = name === 'Transfer-Encoding' ? [...lines, 'Transfer-Encoding: chunked'] : lines;
    const answer = ['HTTP/1.1 200 OK', ...sent, '', ''].join('\r\n');
    const { seen, response } = await exchange(head('HEAD /x HTTP/1.1'), answer, 'HEAD');
    expect(seen.startLine).toBe('HEAD /x HTTP/1.1');
    expect(withoutVia(response)).toEqual(lines);
  });

  it('H11 204 and 304 have no body, whatever length they tell; 205 ends as it says', async () => {
    const none = await exchange(head('GET / HTTP/1.1'), 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n');
    expect(withoutVia(none.response)).toEqual(['X-A: 1']);
    const fresh = await exchange(
      head('GET / HTTP/1.1', 'If-None-Match: "v1"', 'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT'),
      'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nContent-Length: 12345\r\nCache-Control: max-age=5\r\n\r\n',
    );
    expect(valuesOf(fresh.seen, 'if-none-match')).toEqual(['"v1"']);
    expect(fresh.response.startLine).toBe('HTTP/1.1 304 Not Modified');
    expect(withoutVia(fresh.response)).toEqual(['ETag: "v1"', 'Content-Length: 12345', 'Cache-Control: max-age=5']);
    const reset = await exchange(head('POST / HTTP/1.1'), 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n');
    expect(withoutVia(reset.response)).toEqual(['Content-Length: 0']);
    const resetChunked = await exchange(
      head('POST / HTTP/1.1'),
      'HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(resetChunked.response).toMatchObject({ framing: 'chunked', body: Buffer.alloc(0) });
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['GET', 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\nhello'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ])('hardening 9: octets of an origin behind its answer to %s reach nobody: %j', async (method, answer) => {
    const { response } = await exchange(head(`${method} / HTTP/1.1`), answer, method);
    expect(response.startLine).toBe(answer.slice(0, answer.indexOf('\r')));
    expect(response.body).toHaveLength(0);
  });

  it('H11 ranges pass: 206 of one part, of several parts, and 416', async () => {
    const part = await exchange(
      head('GET /file HTTP/1.1', 'Range: bytes=2-5', 'If-Range: "v1"'),
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-5/10\r\nAccept-Ranges: bytes\r\nContent-Length: 4\r\n\r\n2345',
    );
    expect(valuesOf(part.seen, 'range')).toEqual(['bytes=2-5']);
    expect(valuesOf(part.seen, 'if-range')).toEqual(['"v1"']);
    expect(part.response.startLine).toBe('HTTP/1.1 206 Partial Content');
    expect(withoutVia(part.response)).toEqual([
      'Content-Range: bytes 2-5/10',
      'Accept-Ranges: bytes',
      'Content-Length: 4',
    ]);
    expect(part.response.body.toString()).toBe('2345');

    const body =
      '--b\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--b\r\nContent-Range: bytes 9-9/10\r\n\r\n9\r\n--b--\r\n';
    const parts = await exchange(
      head('GET /file HTTP/1.1', 'Range: bytes=0-0,-1'),
      `HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(parts.response.body.toString()).toBe(body);
    const unsatisfied = await exchange(
      head('GET /file HTTP/1.1', 'Range: bytes=99-'),
      'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n',
    );
    expect(withoutVia(unsatisfied.response)).toEqual(['Content-Range: bytes */10', 'Content-Length: 0']);
  });

  it.each([0, 1, 5_000_000])(
    'H11 an HTTP/1.0 origin whose answer of %i octets ends with the connection',
    async (bytes) => {
      const body = randomBytes(bytes);
      world.origin.handle = async (requestHead, peer) => {
        await peer.readBody(requestHead);
        peer.write('HTTP/1.0 200 Fine\r\nServer: old\r\n\r\n');
        peer.write(body);
        peer.socket.end();
      };
      await using client = await world.connect();
      client.write(head('GET /old HTTP/1.1'));
      const response = await client.readResponse();
      expect(response.startLine).toBe('HTTP/1.1 200 Fine');
      expect(withoutVia(response)).toEqual(['Server: old', 'Transfer-Encoding: chunked']);
      expect(valuesOf(response, 'via')).toEqual([expect.stringMatching(/^1\.0 /)]);
      expect(sha256(response.body)).toBe(sha256(body));
      await expectUsable(client);
    },
  );

  it('H11 an HTTP/1.0 origin with a length, with and without keep-alive', async () => {
    const answer = (keepAlive: string): string => `HTTP/1.0 200 OK\r\n${keepAlive}Content-Length: 2\r\n\r\nok`;
    const kept = await exchange(head('GET / HTTP/1.1'), answer('Connection: keep-alive\r\n'));
    expect(withoutVia(kept.response)).toEqual(['Content-Length: 2']);
    const closed = await exchange(head('GET / HTTP/1.1'), answer(''));
    expect(withoutVia(closed.response)).toEqual(['Content-Length: 2']);
    expect(closed.response.body.toString()).toBe('ok');
  });

  it('H11 a request that comes octet by octet', async () => {
    world.origin.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n');
    await using client = await world.connect();
    await client.writeSlowly(
      `${head('POST /slow HTTP/1.1', 'Transfer-Encoding: chunked', 'X-A: b')}1;x=y\r\na\r\n3\r\nbcd\r\n0\r\nX-Sum: 4\r\n\r\n`,
    );
    const response = await client.readResponse();
    expect(response).toMatchObject({ body: Buffer.from('ok'), trailers: ['X-T: 1'] });
    expect(world.origin.requests[0]).toMatchObject({ body: Buffer.from('abcd'), trailers: ['X-Sum: 4'] });
    await client.writeSlowly(`${head('PUT /slow HTTP/1.1', 'Content-Length: 5')}12345`);
    expect(statusOf(await client.readResponse())).toBe(200);
    expect(world.origin.requests[1]?.body.toString()).toBe('12345');
  });

  it('H11 an origin that answers octet by octet, and in chunks of one octet', async () => {
    world.origin.handle = async (_head, peer) => {
      await peer.writeSlowly(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n',
      );
      await peer.writeSlowly(chunked(Buffer.from('one octet at a time'), 1));
    };
    await using client = await world.connect();
    client.write(head('GET / HTTP/1.1'));
    const hints = await client.readResponse();
    expect(hints.startLine).toBe('HTTP/1.1 103 Early Hints');
    const response = await client.readResponse();
    expect(withoutVia(response)).toEqual(['X-A: b', 'Transfer-Encoding: chunked']);
    expect(response.body.toString()).toBe('one octet at a time');
  });

  it('H11 100,000 chunks of one octet, up and down', async () => {
    const body = randomBytes(100_000);
    const answer = Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      chunked(body, 1),
    ]);
    const request = Buffer.concat([
      Buffer.from(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked')),
      chunked(body, 1),
    ]);
    const { seen, response } = await exchange(request, answer);
    expect(sha256(seen.body)).toBe(sha256(body));
    expect(sha256(response.body)).toBe(sha256(body));
  });

  const text = Buffer.from('compressed stays compressed. '.repeat(1000)).subarray(0, 20_000);
  const codings: readonly (readonly [string, Buffer])[] = [
    ['gzip', zlib.gzipSync(text)],
    ['br', zlib.brotliCompressSync(text)],
    ['deflate', zlib.deflateSync(text)],
    ['zstd', zstdRaw(text)],
    ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(text))],
    ['unknown-coding', randomBytes(5000)],
    ['gzip', Buffer.from('not gzip at all')],
  ];
  it.each(codings)('H15 a body in %s and its fields pass unchanged, both ways', async (coding, body) => {
    const lines = [
      'Content-Type: text/html; charset=utf-8',
      `Content-Encoding: ${coding}`,
      'ETag: "abc-gzip"',
      'Vary: Accept-Encoding',
      'Content-MD5: x',
      `Content-Length: ${body.length}`,
    ];
    const answer = Buffer.concat([Buffer.from(['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n')), body]);
    const accepted = 'Accept-Encoding: gzip;q=1.0, br, zstd, identity;q=0';
    const request = Buffer.concat([Buffer.from(head('POST /c HTTP/1.1', accepted, ...lines)), body]);
    const { seen, response } = await exchange(request, answer);
    expect(withoutVia(response)).toEqual(lines);
    expect(response.body.equals(body)).toBe(true);
    expect(withoutAdded(seen)).toEqual([`Host: ${testHost}`, accepted, ...lines]);
    expect(seen.body.equals(body)).toBe(true);
  });

  it('H15 a chunked gzip stream that is flushed arrives flush by flush', async () => {
    const gzip = zlib.createGzip();
    const flushed = async (part: string): Promise<Buffer> => {
      gzip.write(part);
      await new Promise<void>((resolve) => gzip.flush(() => resolve()));
      return (gzip.read() as Buffer | null) ?? Buffer.alloc(0);
    };
    const pieces = [await flushed('first'), await flushed('second')];
    let goOn = (): void => {};
    const isRead = new Promise<void>((resolve) => (goOn = resolve));
    world.origin.handle = async (_head, peer) => {
      peer.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n');
      peer.write(chunked(pieces[0] ?? Buffer.alloc(0), 1000).subarray(0, -5));
      await isRead;
      peer.write(chunked(pieces[1] ?? Buffer.alloc(0), 1000));
    };
    await using client = await world.connect();
    client.write(head('GET /stream HTTP/1.1'));
    await client.readHead();
    const first = await client.exactly((pieces[0]?.length ?? 0) + 4 + 2);
    expect(zlib.gunzipSync(first.subarray(4, -2), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString()).toBe(
      'first',
    );
    goOn();
    const rest = await client.readBody({ startLine: '', lines: ['Transfer-Encoding: chunked'] });
    expect(rest.body.equals(pieces[1] ?? Buffer.alloc(0))).toBe(true);
  });
});
