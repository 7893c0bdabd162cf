/** The course of an exchange: interim and early answers, expectations, pipelines, old clients, odd targets. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type RawHandler, type RawMessage, type RawPeer, statusOf, valuesOf } from '../support/raw-http.ts';
import { type SemanticsWorld, startSemanticsWorld, transports, withoutVia } from '../support/semantics-world.ts';
import { testHost } from '../support/tunnel-world.ts';

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function head(startLine: string, ...lines: string[]): string {
  return [startLine, `Host: ${testHost}`, ...lines, '', ''].join('\r\n');
}

/** Answers each request with its own path. */
const answerPath: RawHandler = async (requestHead, peer) => {
  await peer.readBody(requestHead);
  const path = requestHead.startLine.split(' ')[1] ?? '';
  peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
};

async function readResponses(client: RawPeer, count: number): Promise<RawMessage[]> {
  const responses: RawMessage[] = [];
  for (let index = 0; index < count; index += 1) responses.push(await client.readResponse());
  return responses;
}

/** An exchange on a connection of its own: what was under way before it has had its turn at every hop. */
async function askBeside(world: SemanticsWorld): Promise<void> {
  await using other = await world.connect();
  other.write(head('GET /beside HTTP/1.1'));
  expect(statusOf(await other.readResponse())).toBe(200);
}

/** A handler for an origin that takes longer than another exchange does, to look at what the edge does meanwhile. */
function slowly(world: SemanticsWorld, handler: RawHandler): RawHandler {
  return async (requestHead, peer) => {
    if (requestHead.startLine.includes(' /beside ')) return answerPath(requestHead, peer);
    await askBeside(world);
    await handler(requestHead, peer);
  };
}

describe.each(transports)('exchanges over $name', ({ transport }) => {
  let world: SemanticsWorld;

  beforeAll(async () => {
    world = await startSemanticsWorld({ transport });
  });
  afterAll(async () => world[Symbol.asyncDispose]());
  beforeEach(() => world.origin.reset());

  describe('interim responses', () => {
    it('hardening 7: 100, 102 and several 103 pass whole and in order, before the final answer', async () => {
      const interims = [
        ['HTTP/1.1 102 Processing', 'X-Progress: 10%', 'x-progress: 20%'],
        ['HTTP/1.1 103 Early Hints', 'Link: </style.css>; rel=preload; as=style', 'link: </app.js>; rel=preload'],
        ['HTTP/1.1 103 Early Hints', 'Link: </other.css>; rel=preload'],
        ['HTTP/1.1 100 Continue'],
        ['HTTP/1.1 199 Own'],
      ];
      const text = interims.map((lines) => `${lines.join('\r\n')}\r\n\r\n`).join('');
      world.origin.answer(`${text}${plain}`);
      await using client = await world.connect();
      client.write(head('GET / HTTP/1.1'));
      const responses = await readResponses(client, interims.length + 1);
      expect(responses.map((response) => [response.startLine, ...withoutVia(response)])).toEqual([
        ...interims,
        ['HTTP/1.1 200 OK', 'Content-Length: 2'],
      ]);
      expect(responses.at(-1)?.body.toString()).toBe('ok');
    });

    it('H11 103 arrives while the origin still works on its answer', async () => {
      let finish = (): void => {};
      const isSeen = new Promise<void>((resolve) => (finish = resolve));
      world.origin.handle = async (_head, peer) => {
        peer.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n');
        await isSeen;
        peer.write(plain);
      };
      await using client = await world.connect();
      client.write(head('GET / HTTP/1.1'));
      const hints = await client.readResponse();
      expect([hints.startLine, ...withoutVia(hints)]).toEqual(['HTTP/1.1 103 Early Hints', 'Link: </a>']);
      finish();
      expect(statusOf(await client.readResponse())).toBe(200);
    });

    it('hardening 7: a 101 that nobody asked for never reaches the client', async () => {
      world.origin.answer(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: Upgrade\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      );
      await using client = await world.connect();
      client.write(head('GET / HTTP/1.1'));
      const response = await client.readResponse();
      expect(statusOf(response)).toBe(502);
      world.origin.answer(plain);
      client.write(head('GET / HTTP/1.1'));
      expect(statusOf(await client.readResponse())).toBe(200);
    });

    it('hardening 7: HTTP/1.0 clients get no interim responses', async () => {
      world.origin.answer(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${plain}`);
      await using client = await world.connect();
      client.write(head('GET / HTTP/1.0'));
      expect((await client.readResponse()).startLine).toBe('HTTP/1.1 200 OK');
    });
  });

  describe('Expect: 100-continue', () => {
    const expecting = (...lines: string[]): string => head('POST /up HTTP/1.1', 'Expect: 100-continue', ...lines);

    it.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])(
      "H11 the 100 is the origin's, with %s",
      async (framing) => {
        const body = framing.startsWith('C') ? '12345' : '5\r\n12345\r\n0\r\n\r\n';
        let heldBytes = 0;
        world.origin.handle = slowly(world, async (requestHead, peer) => {
          heldBytes += peer.heldBytes;
          peer.write('HTTP/1.1 100 Go on\r\nX-Note: 1\r\n\r\n');
          world.origin.requests.push(await peer.readBody(requestHead));
          peer.write(plain);
        });
        await using client = await world.connect();
        client.write(expecting(framing));
        const interim = await client.readResponse();
        expect([interim.startLine, ...withoutVia(interim)]).toEqual(['HTTP/1.1 100 Go on', 'X-Note: 1']);
        client.write(body);
        expect(statusOf(await client.readResponse())).toBe(200);
        expect(heldBytes).toBe(0);
        const [asked] = world.origin.requests;
        expect(asked === undefined ? [] : valuesOf(asked, 'expect')).toEqual(['100-continue']);
        expect(asked?.body.toString()).toBe('12345');
      },
    );

    it('H11 a 417 arrives without any body having been sent, and both connections end', async () => {
      world.origin.handle = (_head, peer) => {
        peer.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno');
      };
      await using client = await world.connect();
      client.write(expecting('Content-Length: 5'));
      const response = await client.readResponse();
      expect(response.startLine).toBe('HTTP/1.1 417 Expectation Failed');
      expect(response.body.toString()).toBe('no');
      expect(valuesOf(response, 'connection')).toEqual(['close']);
      expect(await client.rest()).toHaveLength(0);
      await world.origin.peers.at(-1)?.closed;
    });

    it('H11 an origin that ignores the expectation gets the body when the client is tired of waiting', async () => {
      world.origin.answer(plain);
      await using client = await world.connect();
      client.write(expecting('Content-Length: 5'));
      await eventually('the head at the origin', () => world.origin.heads.length === 1);
      await askBeside(world);
      expect(client.heldBytes).toBe(0);
      client.write('12345');
      const response = await client.readResponse();
      expect(response.startLine).toBe('HTTP/1.1 200 OK');
      expect(world.origin.requests.at(-1)?.body.toString()).toBe('12345');
      client.write(head('GET / HTTP/1.1'));
      expect(statusOf(await client.readResponse())).toBe(200);
    });

    it('H11 a client that does not wait for the 100 still gets it, and its answer', async () => {
      world.origin.handle = async (requestHead, peer) => {
        peer.write('HTTP/1.1 100 Continue\r\n\r\n');
        await peer.readBody(requestHead);
        peer.write(plain);
      };
      await using client = await world.connect();
      client.write(`${expecting('Content-Length: 5')}12345${head('GET /next HTTP/1.1')}`);
      const responses = await readResponses(client, 4);
      expect(responses.map(statusOf)).toEqual([100, 200, 100, 200]);
    });

    it('H11 other expectations are for the origin to judge', async () => {
      world.origin.answer('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
      await using client = await world.connect();
      client.write(head('GET / HTTP/1.1', 'Expect: the-impossible'));
      expect(statusOf(await client.readResponse())).toBe(417);
      expect(valuesOf(world.origin.requests[0] ?? { startLine: '', lines: [] }, 'expect')).toEqual(['the-impossible']);
    });
  });

  describe('early answers', () => {
    const refusal = 'HTTP/1.1 413 Content Too Large\r\nX-Max: 5\r\nContent-Length: 9\r\n\r\ntoo large';

    it.each([
      ['a length', 'Content-Length: 10000000000'],
      ['chunks', 'Transfer-Encoding: chunked'],
    ])('H11 an early 413 reaches a client that uploads with %s; then both connections end', async (_name, framing) => {
      let wasOpen = false;
      world.origin.handle = async (_head, peer) => {
        await peer.exactly(100_000);
        wasOpen = !peer.hasEnded;
        peer.write(refusal);
      };
      await using client = await world.connect();
      client.write(head('POST /large HTTP/1.1', framing));
      const data = randomBytes(65_536);
      const piece = framing.startsWith('T')
        ? Buffer.concat([Buffer.from('10000\r\n'), data, Buffer.from('\r\n')])
        : data;
      const upload = setInterval(() => {
        if (!client.hasEnded && client.socket.writableLength < 1_000_000) client.write(piece);
      }, 1);
      try {
        const response = await client.readResponse();
        expect(response.startLine).toBe('HTTP/1.1 413 Content Too Large');
        expect(response.body.toString()).toBe('too large');
        expect(valuesOf(response, 'x-max')).toEqual(['5']);
        expect(wasOpen).toBe(true);
        expect(await client.rest()).toHaveLength(0);
      } finally {
        clearInterval(upload);
      }
      await world.origin.peers.at(-1)?.closed;
      expect(world.origin.heads).toHaveLength(1);
    });

    it('H11 an early 413 is there for a client that reads only behind its upload, which takes a while', async () => {
      world.origin.handle = (_head, peer) => {
        peer.write(refusal);
      };
      await using client = await world.connect();
      client.socket.pause();
      client.write(head('POST /large HTTP/1.1', 'Content-Length: 1000'));
      for (let count = 0; count < 28; count += 1) {
        client.write('octets');
        await delay(100);
      }
      client.socket.resume();
      expect((await client.readResponse()).body.toString()).toBe('too large');
      expect(client.socket.errored).toBeNull();
    });

    it.each(['other.test', 'a b'])(
      'H11 an upload to %j gets its failure at once, and the connection ends',
      async (host) => {
        await using client = await world.connect();
        client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 10000000000\r\n\r\n`);
        client.write(randomBytes(1_000_000));
        const response = await client.readResponse();
        expect(statusOf(response)).toBeGreaterThanOrEqual(400);
        expect(valuesOf(response, 'connection')).toEqual(['close']);
        expect(await client.rest()).toHaveLength(0);
        expect(world.origin.heads).toEqual([]);
      },
    );

    it('H11 what follows an early answer on its connection is never read as a request', async () => {
      world.origin.handle = (_head, peer) => {
        peer.write(refusal);
      };
      await using client = await world.connect();
      client.write(head('POST /large HTTP/1.1', 'Content-Length: 1000'));
      expect(statusOf(await client.readResponse())).toBe(413);
      client.write(head('GET /smuggled HTTP/1.1'));
      expect(await client.rest()).toHaveLength(0);
      expect(world.origin.heads.map(({ startLine }) => startLine)).toEqual(['POST /large HTTP/1.1']);
    });

    it('H11 an answer that begins before its request ends may go on while the request does', async () => {
      world.origin.handle = async (_head, peer) => {
        peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (const _turn of ['one', 'two']) peer.write(`3\r\n${(await peer.exactly(3)).toString()}\r\n`);
        peer.write('0\r\n\r\n');
      };
      await using client = await world.connect();
      client.write(head('POST /duplex HTTP/1.1', 'Content-Length: 6'));
      expect((await client.readHead())?.startLine).toBe('HTTP/1.1 200 OK');
      client.write('one');
      expect((await client.exactly(8)).toString()).toBe('3\r\none\r\n');
      client.write('two');
      expect((await client.exactly(8)).toString()).toBe('3\r\ntwo\r\n');
      expect((await client.exactly(5)).toString()).toBe('0\r\n\r\n');
      world.origin.handle = answerPath;
      client.write(head('GET /after HTTP/1.1'));
      expect((await client.readResponse()).body.toString()).toBe('/after');
    });
  });

  describe('targets', () => {
    it.each([
      ['OPTIONS * HTTP/1.1', 'OPTIONS * HTTP/1.1'],
      [`OPTIONS http://${testHost} HTTP/1.1`, 'OPTIONS * HTTP/1.1'],
      ['OPTIONS / HTTP/1.1', 'OPTIONS / HTTP/1.1'],
      [`GET http://${testHost}/a?b HTTP/1.1`, 'GET /a?b HTTP/1.1'],
      [`GET HTTP://APP.test:80?q HTTP/1.1`, 'GET /?q HTTP/1.1'],
      ['GET //double//slash/../x/./y HTTP/1.1', 'GET //double//slash/../x/./y HTTP/1.1'],
      ['GET /%2e%2E%2f%00%zz?a=%20+b&&=? HTTP/1.1', 'GET /%2e%2E%2f%00%zz?a=%20+b&&=? HTTP/1.1'],
      ['GET /\xc3\xa9"<>\\^`{|} HTTP/1.1', 'GET /\xc3\xa9"<>\\^`{|} HTTP/1.1'],
      ['GET /? HTTP/1.1', 'GET /? HTTP/1.1'],
      ['GET /http://other.test/ HTTP/1.1', 'GET /http://other.test/ HTTP/1.1'],
      ['M-SEARCH /x HTTP/1.1', 'M-SEARCH /x HTTP/1.1'],
      ['get /lower HTTP/1.1', 'get /lower HTTP/1.1'],
      ['TRACE / HTTP/1.1', 'TRACE / HTTP/1.1'],
      ['LINK / HTTP/1.1', 'LINK / HTTP/1.1'],
    ])('H11 %j reaches the origin as %j', async (sent, expected) => {
      world.origin.answer(plain);
      await using client = await world.connect();
      client.write(head(sent));
      expect(statusOf(await client.readResponse())).toBe(200);
      expect(world.origin.requests[0]?.startLine).toBe(expected);
    });

    it('H11 a target of 60,000 characters', async () => {
      world.origin.answer(plain);
      await using client = await world.connect();
      const startLine = `GET /${'x'.repeat(60_000)} HTTP/1.1`;
      client.write(head(startLine));
      expect(statusOf(await client.readResponse())).toBe(200);
      expect(world.origin.requests[0]?.startLine).toBe(startLine);
    });

    it('H11 CONNECT is no method of the edge', async () => {
      await using client = await world.connect();
      client.write(head(`CONNECT ${testHost}:443 HTTP/1.1`));
      expect(statusOf(await client.readResponse())).toBe(501);
      expect(world.origin.heads).toEqual([]);
    });
  });

  describe('HTTP/1.0 clients', () => {
    it('H11 without keep-alive the connection ends behind the answer', async () => {
      world.origin.answer(plain);
      await using client = await world.connect();
      client.write(head('GET / HTTP/1.0'));
      const response = await client.readResponse();
      expect(response.startLine).toBe('HTTP/1.1 200 OK');
      expect(withoutVia(response)).toEqual(['Content-Length: 2', 'Connection: close']);
      expect(await client.rest()).toHaveLength(0);
    });

    it('H11 with keep-alive the connection serves on', async () => {
      world.origin.handle = answerPath;
      await using client = await world.connect();
      for (const path of ['/one', '/two', '/three']) {
        client.write(head(`GET ${path} HTTP/1.0`, 'Connection: Keep-Alive'));
        const response = await client.readResponse();
        expect(response.body.toString()).toBe(path);
        expect(valuesOf(response, 'connection')).toEqual(['keep-alive']);
      }
    });

    it.each(['', 'Connection: keep-alive'])(
      'H11 a chunked answer ends with the connection (%j)',
      async (connection) => {
        world.origin.answer(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\nX-Sum: 6\r\n\r\n',
        );
        await using client = await world.connect();
        client.write(head('GET / HTTP/1.0', ...(connection === '' ? [] : [connection])));
        const response = await client.readResponse();
        expect(withoutVia(response)).toEqual(['Connection: close']);
        expect(response).toMatchObject({ framing: 'close', body: Buffer.from('abcdef') });
      },
    );

    it('H11 HEAD, 204 and 304 keep an HTTP/1.0 connection', async () => {
      await using client = await world.connect();
      const answers = [
        ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
        ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
        ['GET', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
      ] as const;
      for (const [method, answer] of answers) {
        world.origin.answer(answer);
        client.write(head(`${method} / HTTP/1.0`, 'Connection: keep-alive'));
        expect(withoutVia(await client.readResponse(method))).toEqual(['Connection: keep-alive']);
      }
    });

    it('H11 the origin is spoken to in our own version, with Host, and is not told of an expectation', async () => {
      world.origin.answer(plain);
      await using client = await world.connect();
      client.write(`${head('POST / HTTP/1.0', 'Expect: 100-continue', 'Content-Length: 3')}abc`);
      expect((await client.readResponse()).startLine).toBe('HTTP/1.1 200 OK');
      const [seen] = world.origin.heads;
      expect(seen?.startLine).toBe('POST / HTTP/1.1');
      expect(seen?.lines).toContainEqual(`Host: ${testHost}`);
      expect(seen?.lines).toContainEqual(expect.stringMatching(/^Via: 1\.0 /));
      expect(seen?.lines.join('\n')).not.toMatch(/^(?:Expect|Connection):/im);
      expect(world.origin.requests[0]?.body.toString()).toBe('abc');
    });

    it('H11 a request body and half a connection are enough for an answer', async () => {
      world.origin.answer(plain);
      await using client = await world.connect();
      client.socket.end(`${head('POST / HTTP/1.0', 'Content-Length: 3')}abc`);
      expect((await client.readResponse()).body.toString()).toBe('ok');
      expect(world.origin.requests[0]?.body.toString()).toBe('abc');
    });
  });

  describe('pipelines', () => {
    const paths = Array.from({ length: 10 }, (_, index) => `/${index}`);

    it('H11 ten requests in one packet are answered in order, though the first one is slow', async () => {
      world.origin.handle = slowly(world, answerPath);
      await using client = await world.connect();
      client.write(paths.map((path) => head(`GET ${path} HTTP/1.1`)).join(''));
      const responses = await readResponses(client, paths.length);
      expect(responses.map(({ body }) => body.toString())).toEqual(paths);
    });

    it('H11 a refusal of an empty body is no reason to close: the next request is answered', async () => {
      world.origin.handle = answerPath;
      await using client = await world.connect();
      const refused = 'POST / HTTP/1.1\r\nHost: unknown.test\r\nContent-Length: 0\r\n\r\n';
      client.write(refused + head('GET /0 HTTP/1.1'));
      const [first, second] = await readResponses(client, 2);
      expect([first && valuesOf(first, 'connection'), second?.body.toString()]).toEqual([[], '/0']);
    });

    it('H11 requests with and without bodies, HEAD and 204 among them', async () => {
      world.origin.handle = async (requestHead, peer) => {
        const { body } = await peer.readBody(requestHead);
        const [method, path] = requestHead.startLine.split(' ');
        if (method === 'DELETE') peer.write('HTTP/1.1 204 No Content\r\n\r\n');
        else if (method === 'HEAD') peer.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n');
        else
          peer.write(
            `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n${path}${body.toString().padEnd(6)}\r\n0\r\n\r\n`,
          );
      };
      await using client = await world.connect();
      client.write(
        [
          `${head('POST /a HTTP/1.1', 'Content-Length: 3')}abc`,
          head('HEAD /b HTTP/1.1'),
          `${head('PUT /c HTTP/1.1', 'Transfer-Encoding: chunked')}3\r\ndef\r\n0\r\n\r\n`,
          head('DELETE /d HTTP/1.1'),
          `${head('POST /e HTTP/1.1', 'Content-Length: 0')}`,
          '\r\n',
          head('GET /f HTTP/1.1'),
        ].join(''),
      );
      const bodies: string[] = [];
      for (const method of ['POST', 'HEAD', 'PUT', 'DELETE', 'POST', 'GET']) {
        bodies.push((await client.readResponse(method)).body.toString().trim());
      }
      expect(bodies).toEqual(['/aabc', '', '/cdef', '', '/e', '/f']);
    });

    it('H11 valid requests get their answers before an invalid one behind them gets its 400', async () => {
      world.origin.handle = slowly(world, answerPath);
      await using client = await world.connect();
      client.write(
        `${head('GET /a HTTP/1.1')}${head('GET /b HTTP/1.1')}GET /c HTTP/1.1\r\nHost: ${testHost}\r\nBad Name: 1\r\n\r\n${head('GET /d HTTP/1.1')}`,
      );
      const responses = await readResponses(client, 3);
      expect(responses.map(statusOf)).toEqual([200, 200, 400]);
      expect(responses.slice(0, 2).map(({ body }) => body.toString())).toEqual(['/a', '/b']);
      expect(valuesOf(responses[2] ?? { startLine: '', lines: [] }, 'connection')).toEqual(['close']);
      expect(await client.rest()).toHaveLength(0);
      const reached = world.origin.heads.map(({ startLine }) => startLine).filter((line) => !line.includes('/beside'));
      expect(reached).toEqual(['GET /a HTTP/1.1', 'GET /b HTTP/1.1']);
    });

    it('H11 nothing is answered behind Connection: close', async () => {
      world.origin.handle = answerPath;
      await using client = await world.connect();
      client.write(
        `${head('GET /a HTTP/1.1')}${head('GET /b HTTP/1.1', 'Connection: close')}${head('GET /c HTTP/1.1')}`,
      );
      expect((await readResponses(client, 2)).map(({ body }) => body.toString())).toEqual(['/a', '/b']);
      expect(await client.rest()).toHaveLength(0);
      expect(world.origin.heads).toHaveLength(2);
    });

    it('hardening 10: a client that sends ten requests and its FIN gets ten answers', async () => {
      world.origin.handle = slowly(world, answerPath);
      await using client = await world.connect();
      client.socket.end(paths.map((path) => head(`GET ${path} HTTP/1.1`)).join(''));
      const bodies: string[] = [];
      while (bodies.length < paths.length) {
        const response = await client.readResponse();
        if (statusOf(response) === 200) bodies.push(response.body.toString());
      }
      expect(bodies).toEqual(paths);
      expect(await client.rest()).toHaveLength(0);
    });

    it('hardening 10: a FIN inside a further request costs that request only', async () => {
      world.origin.handle = slowly(world, answerPath);
      await using client = await world.connect();
      client.socket.end(`${head('GET /a HTTP/1.1')}${head('GET /b HTTP/1.1')}GET /c HTTP/1.1\r\nHost: ap`);
      const bodies: string[] = [];
      while (bodies.length < 2) {
        const response = await client.readResponse();
        if (statusOf(response) === 200) bodies.push(response.body.toString());
      }
      expect(bodies).toEqual(['/a', '/b']);
      expect(await client.rest()).toHaveLength(0);
      await client.closed;
    });

    it('H11 a pipeline of a megabyte, far more than the edge holds, is answered to the end', async () => {
      world.origin.handle = answerPath;
      await using client = await world.connect();
      const count = 1000;
      const requests = Array.from({ length: count }, (_, index) =>
        head(`GET /${index} HTTP/1.1`, `X-Pad: ${'p'.repeat(1000)}`),
      );
      client.write(requests.join(''));
      const responses = await readResponses(client, count);
      expect(responses.map(({ body }) => body.toString())).toEqual(
        Array.from({ length: count }, (_, index) => `/${index}`),
      );
    });

    it('H11 a refused upgrade is an answer like any other; the pipeline goes on behind it', async () => {
      world.origin.handle = async (requestHead, peer) => {
        if (valuesOf(requestHead, 'upgrade').length === 0) return answerPath(requestHead, peer);
        peer.write('HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 4\r\n\r\nsoon');
      };
      await using client = await world.connect();
      client.write(`${head('GET /up HTTP/1.1', 'Connection: Upgrade', 'Upgrade: mine')}${head('GET /b HTTP/1.1')}`);
      const [refused, next] = await readResponses(client, 2);
      expect(refused?.startLine).toBe('HTTP/1.1 426 Upgrade Required');
      expect(refused?.body.toString()).toBe('soon');
      expect(next?.body.toString()).toBe('/b');
    });

    it('H11 an answer of megabytes in front does not lose the requests behind it', async () => {
      const body = randomBytes(5_000_000);
      world.origin.handle = async (requestHead, peer) => {
        if (!requestHead.startLine.includes('/large')) return answerPath(requestHead, peer);
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
        peer.write(body);
      };
      await using client = await world.connect();
      client.write(
        `${head('GET /large HTTP/1.1')}${head('GET /b HTTP/1.1')}${head('GET /large HTTP/1.1')}${head('GET /c HTTP/1.1')}`,
      );
      const responses = await readResponses(client, 4);
      expect(responses.map((response) => response.body.length)).toEqual([body.length, 2, body.length, 2]);
      expect(responses[2]?.body.equals(body)).toBe(true);
    });
  });
});
