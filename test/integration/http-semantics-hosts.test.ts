/** Hosts: which endpoint a request is for, what is said when there is none, and requests that come back to the edge. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { connectPeer, type RawMessage, statusOf, valuesOf } from '../support/raw-http.ts';
import { RunningClock } from '../support/running-clock.ts';
import { type SemanticsWorld, startSemanticsWorld, transports } from '../support/semantics-world.ts';
import { testHost } from '../support/tunnel-world.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

const browserAccept = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

async function ask(
  world: Pick<SemanticsWorld, 'connect'>,
  host: string | undefined,
  ...lines: string[]
): Promise<RawMessage> {
  await using client = await world.connect();
  const hostLine = host === undefined ? [] : [`Host: ${host}`];
  client.write(['GET /secret/path?token=1 HTTP/1.1', ...hostLine, ...lines, '', ''].join('\r\n'));
  return await client.readResponse();
}

describe('hosts', () => {
  let world: SemanticsWorld;

  beforeAll(async () => {
    world = await startSemanticsWorld({
      limits: { reconnectGraceMs: 50 },
      edge: {
        knownEndpoints: new Set(['offline.test']),
        authenticate: async () => ({ id: 'test', endpoints: ['*', '[2001:db8::1]'], expiresAt: undefined }),
      },
    });
  });
  afterAll(async () => world[Symbol.asyncDispose]());
  beforeEach(() => world.origin.reset());

  it.each([
    testHost,
    'APP.test',
    'aPP.tEST:8081',
    'app.test:80',
    'app.test:443',
    'app.test:65535',
    'app.test:',
    'app.test.',
    'APP.TEST.:8081',
  ])('H12 Host %j finds the tunnel, and reaches the origin as written', async (host) => {
    expect(statusOf(await ask(world, host))).toBe(200);
    expect(valuesOf(world.origin.heads[0] ?? { startLine: '', lines: [] }, 'host')).toEqual([host]);
  });

  it('H12 an IPv6 literal is a host, with and without a port', async () => {
    const { edge } = world.edge;
    await using _agent = await startTestAgent(edge.ports, '[2001:DB8::1]', `127.0.0.1:${world.origin.port}`);
    for (const host of ['[2001:db8::1]', '[2001:DB8::1]:8081', '[2001:Db8::1]:', '[2001:0db8:0:0::0:1]']) {
      expect(statusOf(await ask(world, host))).toBe(200);
    }
    expect(world.origin.heads.map((head) => valuesOf(head, 'x-forwarded-host'))).toEqual([
      ['[2001:db8::1]'],
      ['[2001:DB8::1]:8081'],
      ['[2001:Db8::1]:'],
      ['[2001:0db8:0:0::0:1]'],
    ]);
    expect(world.origin.heads.map((head) => valuesOf(head, 'x-forwarded-port'))).toEqual([
      ['80'],
      ['8081'],
      ['80'],
      ['80'],
    ]);
    expect(statusOf(await ask(world, '[2001:db8::2]'))).toBe(404);
  });

  it.each([
    'other.test',
    'test',
    'sub.app.test',
    'app.test.evil.test',
    'xapp.test',
    'app-test',
    '127.0.0.1',
    'localhost',
    '__proto__',
    'constructor',
    'tostring',
  ])('H12 the unknown host %j is a 404 at once', async (host) => {
    const response = await ask(world, host);
    expect(statusOf(response)).toBe(404);
    expect(response.body.toString()).toContain('GIR_ERR_ENDPOINT_UNKNOWN');
    expect(valuesOf(response, 'proxy-status')).toEqual(['giraffe; error=destination_not_found']);
    expect(valuesOf(response, 'retry-after')).toEqual([]);
    expect(world.origin.heads).toEqual([]);
  });

  it.each([
    '',
    'a b',
    'app.test:0',
    'app.test:65536',
    'app.test:8o',
    'user@app.test',
    'app.test/',
    'app..test',
    '.app.test',
    'app.test..',
    '[::1',
    '[::g]',
    '[::1%25lo]',
    'app.test,other.test',
    'http://app.test',
    `${'a'.repeat(256)}.test`,
    'app%2etest',
    'äpp.test',
  ])('H12 the broken host %j is a 400', async (host) => {
    expect(statusOf(await ask(world, host))).toBe(400);
  });

  it('H12 HTTP/1.1 without Host is a 400, HTTP/1.0 without Host a 404', async () => {
    expect(statusOf(await ask(world, undefined))).toBe(400);
    await using client = await world.connect();
    client.write('GET / HTTP/1.0\r\n\r\n');
    expect(statusOf(await client.readResponse())).toBe(404);
  });

  it('H12 a known endpoint without an agent is a 503 that says when to come back', async () => {
    const page = await ask(world, 'OFFLINE.test:8081', browserAccept);
    expect(statusOf(page)).toBe(503);
    expect(valuesOf(page, 'retry-after')).toEqual([expect.stringMatching(/^[1-9][0-9]*$/)]);
    expect(valuesOf(page, 'content-type')).toEqual(['text/html; charset=utf-8']);
    expect(page.body.toString()).toMatch(/^<!doctype html>/);
    expect(page.body.toString()).toContain('GIR_ERR_NO_UPSTREAM');

    const problem = await ask(world, 'offline.test', 'Accept: application/json', 'X-Request-Id: my-id');
    expect(statusOf(problem)).toBe(503);
    expect(valuesOf(problem, 'retry-after')).toHaveLength(1);
    expect(valuesOf(problem, 'content-type')).toEqual(['application/problem+json']);
    expect(JSON.parse(problem.body.toString())).toMatchObject({
      status: 503,
      code: 'GIR_ERR_NO_UPSTREAM',
      requestId: 'my-id',
      side: 'agent',
    });
    expect(valuesOf(problem, 'x-request-id')).toEqual(['my-id']);

    const text = await ask(world, 'offline.test', 'Accept: */*');
    expect(valuesOf(text, 'content-type')).toEqual(['text/plain; charset=utf-8']);
  });

  it('H12 an endpoint whose agent has left is known, and serves again when it is back', async () => {
    const { ports } = world.edge.edge;
    const target = `127.0.0.1:${world.origin.port}`;
    {
      await using _agent = await startTestAgent(ports, 'coming.test', target);
      expect(statusOf(await ask(world, 'coming.test'))).toBe(200);
    }
    expect(statusOf(await ask(world, 'coming.test'))).toBe(503);
    await using _again = await startTestAgent(ports, 'coming.test', target);
    expect(statusOf(await ask(world, 'coming.test'))).toBe(200);
  });

  it('H12 failures have a date, and tell an HTTP/1.0 client that its connection stays', async () => {
    await using client = await world.connect();
    client.write('GET / HTTP/1.0\r\nHost: other.test\r\nConnection: keep-alive\r\n\r\n');
    const response = await client.readResponse();
    expect(statusOf(response)).toBe(404);
    expect(valuesOf(response, 'connection')).toEqual(['keep-alive']);
    const [date = ''] = valuesOf(response, 'date');
    expect(date).toMatch(/^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$/);
    expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(60_000);
    client.write(`GET / HTTP/1.0\r\nHost: ${testHost}\r\n\r\n`);
    expect(statusOf(await client.readResponse())).toBe(200);
  });

  it('H12 HEAD gets the fields of a failure and no body; the connection goes on', async () => {
    await using client = await world.connect();
    client.write('HEAD / HTTP/1.1\r\nHost: offline.test\r\n\r\n');
    const response = await client.readResponse('HEAD');
    expect(statusOf(response)).toBe(503);
    expect(Number(valuesOf(response, 'content-length')[0])).toBeGreaterThan(0);
    client.write(`GET / HTTP/1.1\r\nHost: ${testHost}\r\n\r\n`);
    expect(statusOf(await client.readResponse())).toBe(200);
  });

  it('H12 requests of one connection may be for different hosts', async () => {
    await using client = await world.connect();
    const statuses: number[] = [];
    for (const host of [testHost, 'other.test', 'offline.test', testHost]) {
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      statuses.push(statusOf(await client.readResponse()));
    }
    expect(statuses).toEqual([200, 404, 503, 200]);
  });

  it.each([browserAccept, 'Accept: application/json', 'Accept: */*'])(
    'H12 no failure tells an inner address, a path or a query (%s)',
    async (accept) => {
      const { ports } = world.edge.edge;
      const refusing = await freePort();
      await using _refused = await startTestAgent(ports, 'refused.test', `http://127.0.0.1:${refusing}`);
      await using _unresolved = await startTestAgent(ports, 'unresolved.test', 'inner-name.invalid:8123');
      await using _socket = await startTestAgent(ports, 'socket.test', 'unix:/nowhere/inner.sock');
      await using _broken = await startTestAgent(ports, 'broken.test', `127.0.0.1:${world.origin.port}`);
      world.origin.handle = (_head, peer) => {
        peer.socket.end('not HTTP at all: inner-secret\r\n\r\n');
      };
      const expected = [
        ['refused.test', 'GIR_ERR_ORIGIN_REFUSED'],
        ['unresolved.test', 'GIR_ERR_ORIGIN_DNS'],
        ['socket.test', 'GIR_ERR_ORIGIN_REFUSED'],
        ['broken.test', 'GIR_ERR_ORIGIN_PROTOCOL'],
        ['offline.test', 'GIR_ERR_NO_UPSTREAM'],
        ['unknown.test', 'GIR_ERR_ENDPOINT_UNKNOWN'],
      ] as const;
      for (const [host, code] of expected) {
        const response = await ask(world, host, accept);
        const text = [response.startLine, ...response.lines, response.body.toString()].join('\n');
        expect(text).toContain(code);
        expect(text).not.toMatch(
          /127\.0\.0\.1|::1|localhost|inner-|inner\.sock|nowhere|8123|secret|token=|node:|\.ts\b|ECONN|ENOENT/,
        );
        expect(text).not.toContain(String(refusing));
        expect(text).not.toContain(String(world.origin.port));
      }
    },
  );
});

describe.each(transports)('loops over $name', ({ transport }) => {
  const getFrom = async (port: number, host: string, ...lines: string[]): Promise<RawMessage> => {
    await using client = await connectPeer(port);
    client.write(['GET / HTTP/1.1', `Host: ${host}`, ...lines, '', ''].join('\r\n'));
    return await client.readResponse();
  };

  it('H10 a tunnel to the edge itself is a loop: 502, promptly, after one turn', async () => {
    await using edge = await startTestEdge();
    const { ports } = edge.edge;
    await using _agent = await startTestAgent(ports, 'loop.test', `127.0.0.1:${ports.proxy}`, { transport });
    using clock = new RunningClock();
    const response = await getFrom(ports.proxy, 'loop.test');
    expect(clock.ranMs).toBeLessThan(1000);
    expect(statusOf(response)).toBe(502);
    expect(response.body.toString()).toContain('GIR_ERR_LOOP');
    expect(valuesOf(response, 'proxy-status')).toEqual(['giraffe; error=proxy_loop_detected']);
    const turns = edge.log.filter(({ message }) => message === 'exchange ended');
    expect(turns.map(({ code }) => code)).toEqual(['GIR_ERR_LOOP', undefined]);
    expect(new Set(turns.map(({ requestId }) => requestId)).size).toBe(1);
  });

  it('H10 a loop by upgrade ends the same way', async () => {
    await using edge = await startTestEdge();
    const { ports } = edge.edge;
    await using _agent = await startTestAgent(ports, 'loop.test', `127.0.0.1:${ports.proxy}`, { transport });
    const response = await getFrom(ports.proxy, 'loop.test', 'Connection: Upgrade', 'Upgrade: websocket');
    expect(statusOf(response)).toBe(502);
    expect(response.body.toString()).toContain('GIR_ERR_LOOP');
  });

  it("H10 a loop through two endpoints that set each other's Host is found in its second turn", async () => {
    await using edge = await startTestEdge();
    const { ports } = edge.edge;
    const target = `127.0.0.1:${ports.proxy}`;
    await using _a = await startTestAgent(ports, 'a.test', target, { transport, hostHeader: { value: 'b.test' } });
    await using _b = await startTestAgent(ports, 'b.test', target, { transport, hostHeader: { value: 'A.test:1' } });
    const response = await getFrom(ports.proxy, 'a.test');
    expect(response.body.toString()).toContain('GIR_ERR_LOOP');
    expect(edge.log.filter(({ message }) => message === 'exchange ended')).toHaveLength(3);
  });

  it('H10 a loop through two edges is found by the first of them', async () => {
    await using one = await startTestEdge();
    await using two = await startTestEdge();
    const [first, second] = [one.edge.ports, two.edge.ports];
    await using _there = await startTestAgent(first, 'app.test', `127.0.0.1:${second.proxy}`, { transport });
    await using _back = await startTestAgent(second, 'app.test', `127.0.0.1:${first.proxy}`, { transport });
    const response = await getFrom(first.proxy, 'app.test');
    expect(statusOf(response)).toBe(502);
    expect(response.body.toString()).toContain('GIR_ERR_LOOP');
    expect([one, two].map(({ log }) => log.filter(({ message }) => message === 'exchange ended').length)).toEqual([
      2, 1,
    ]);
  });

  it('H10 a way through two endpoints of one edge, and through two edges, is no loop', async () => {
    await using world = await startSemanticsWorld({ transport });
    const { ports } = world.edge.edge;
    await using outer = await startTestEdge();
    const options = { transport, hostHeader: { value: testHost } };
    await using _inner = await startTestAgent(ports, 'front.test', `127.0.0.1:${ports.proxy}`, options);
    await using _outer = await startTestAgent(outer.edge.ports, 'front.test', `127.0.0.1:${ports.proxy}`, options);
    expect(statusOf(await getFrom(ports.proxy, 'front.test'))).toBe(200);
    expect(statusOf(await getFrom(outer.edge.ports.proxy, 'front.test'))).toBe(200);
    expect(world.origin.heads.map((head) => valuesOf(head, 'via').length)).toEqual([2, 2]);
  });
});
