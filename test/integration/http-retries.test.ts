/** Requests that meet a tunnel that breaks: idempotent ones succeed, others reach the origin at most once. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { note } from '../support/note.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { testHost } from '../support/tunnel-world.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

/** An origin that counts how often each path reached it, and keeps what came. */
interface CountingOrigin extends Origin {
  readonly seen: ReadonlyMap<string, number>;
  readonly bodies: ReadonlyMap<string, readonly string[]>;
}

async function startCountingOrigin(
  answer: (request: IncomingMessage, times: number) => Promise<void> = async () => {},
): Promise<CountingOrigin> {
  const seen = new Map<string, number>();
  const bodies = new Map<string, string[]>();
  const origin = await startHttpOrigin(async (request, response) => {
    const path = `${request.method} ${request.url}`;
    const times = (seen.get(path) ?? 0) + 1;
    seen.set(path, times);
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    response.on('error', () => {});
    await answer(request, times);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.set(path, [...(bodies.get(path) ?? []), Buffer.concat(chunks).toString()]);
      response.end(`${path} ${times}`);
    });
  });
  return Object.defineProperties(origin, { seen: { value: seen }, bodies: { value: bodies } }) as CountingOrigin;
}

/** Keeps the first request for /x waiting for ever. */
async function hangsOnce(request: IncomingMessage, times: number): Promise<void> {
  if (request.url === '/x' && times === 1) await new Promise(() => {});
}

/** Edge and agent whose only carrier can be cut. */
async function startCuttableWorld(origin: Origin, transport: 'grpc' | 'tcp', reconnectGraceMs = 10_000) {
  const edge = await startTestEdge({ reconnectGraceMs });
  const { grpc, tunnel } = edge.edge.ports;
  const proxy = await startCuttableProxy(transport === 'grpc' ? grpc : tunnel);
  const ports = transport === 'grpc' ? { grpc: proxy.port, tunnel } : { grpc, tunnel: proxy.port };
  const agent = await startTestAgent(ports, testHost, origin.target, { transport });
  const client = new HttpClient(edge.edge.ports.proxy, testHost);
  return {
    edge,
    proxy,
    ports,
    agent,
    client,
    port: edge.edge.ports.proxy,
    /** Resolves when the edge has noticed that the agent is gone. */
    lost: () =>
      eventually('the edge has lost the agent', () => edge.edge.stats().every(({ sessions }) => sessions === 0)),
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await agent[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}

describe.each(['grpc', 'tcp'] as const)('over %s alone', (transport) => {
  it('H13 a GET that arrives while the agent reconnects succeeds', async () => {
    await using origin = await startCountingOrigin();
    await using world = await startCuttableWorld(origin, transport);
    expect((await world.client.get('/warm')).status).toBe(200);

    world.proxy.refuse();
    world.proxy.cut();
    await world.agent.event('reconnecting');
    const answers = ['/a', '/b', '/c'].map((path) => world.client.get(path));
    await pause(100);
    world.proxy.accept();

    expect((await Promise.all(answers)).map(({ status, text }) => `${status} ${text}`)).toEqual([
      '200 GET /a 1',
      '200 GET /b 1',
      '200 GET /c 1',
    ]);
  });

  it('H13 a POST that arrives while the agent reconnects is delivered once, with its body', async () => {
    await using origin = await startCountingOrigin();
    await using world = await startCuttableWorld(origin, transport);
    world.proxy.refuse();
    world.proxy.cut();
    await world.agent.event('reconnecting');
    await world.lost();

    const body = 'b'.repeat(300_000);
    const answer = world.client.send('POST', '/pizza', body);
    await pause(100);
    world.proxy.accept();

    expect((await answer).text).toBe('POST /pizza 1');
    expect(origin.bodies.get('POST /pizza')).toEqual([body]);
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND'])(
    'H13 a %s whose carrier is cut before its answer is sent again once',
    async (method) => {
      await using origin = await startCountingOrigin(hangsOnce);
      await using world = await startCuttableWorld(origin, transport);
      const answer = world.client.send(method, '/x');
      await eventually('it is at the origin', () => origin.seen.get(`${method} /x`) === 1);

      world.proxy.cut();

      expect((await answer).status).toBe(200);
      expect(origin.seen.get(`${method} /x`)).toBe(2);
    },
  );

  it('H13 a GET that loses its carrier twice fails with its code and is not sent a third time', async () => {
    await using origin = await startCountingOrigin(async ({ url }) => {
      if (url === '/x') await new Promise(() => {});
    });
    await using world = await startCuttableWorld(origin, transport);
    const answer = world.client.get('/x', { headers: { Accept: 'application/json' } });
    await eventually('it is at the origin', () => origin.seen.get('GET /x') === 1);
    world.proxy.cut();
    await eventually('it is there again', () => origin.seen.get('GET /x') === 2);
    world.proxy.cut();

    expect(JSON.parse((await answer).text)).toMatchObject({ status: 502, code: 'GIR_ERR_SESSION_LOST' });
    await world.client.get('/other');
    expect(origin.seen.get('GET /x')).toBe(2);
  });

  it.each(['POST', 'PATCH', 'LOCK'])(
    'H13 a %s whose carrier is cut before its answer is a 502, delivered once',
    async (method) => {
      await using origin = await startCountingOrigin(hangsOnce);
      await using world = await startCuttableWorld(origin, transport);
      const answer = world.client.send(method, '/x', 'body', { headers: { Accept: 'application/json' } });
      await eventually('it is at the origin', () => origin.seen.get(`${method} /x`) === 1);

      world.proxy.cut();

      expect(JSON.parse((await answer).text)).toMatchObject({ status: 502, code: 'GIR_ERR_SESSION_LOST' });
      expect((await world.client.get('/next')).status).toBe(200);
      expect(origin.seen.get(`${method} /x`)).toBe(1);
    },
  );

  it('H13 a POST that waits in a stalled carrier when it is cut is delivered at most once', async () => {
    await using origin = await startCountingOrigin();
    await using world = await startCuttableWorld(origin, transport);
    world.proxy.stall();
    const answer = world.client.send('POST', '/x', 'body');
    await pause(100);
    world.proxy.cut();
    world.proxy.resume();

    expect((await answer).status).toBe(502);
    expect((await world.client.get('/next')).status).toBe(200);
    expect(origin.seen.get('POST /x') ?? 0).toBeLessThanOrEqual(1);
  });

  it('H13 a GET with part of its body sent is not sent again', async () => {
    await using origin = await startCountingOrigin();
    await using world = await startCuttableWorld(origin, transport);
    using client = await rawClient(world.port, requestText('GET', '/x', testHost, ['Content-Length: 10']));
    client.socket.write('12345');
    await eventually('it is at the origin', () => origin.seen.get('GET /x') === 1);
    world.proxy.cut();

    expect(await client.until('Request id')).toMatch(/^HTTP\/1\.1 502 /);
    await world.client.get('/next');
    expect(origin.seen.get('GET /x')).toBe(1);
  });

  it('H13 a PUT that is sent again before its body came takes the whole body along', async () => {
    await using origin = await startCountingOrigin();
    await using world = await startCuttableWorld(origin, transport);
    const fields = ['Transfer-Encoding: chunked'];
    using client = await rawClient(world.port, requestText('PUT', '/x', testHost, fields));
    await eventually('its head is at the origin', () => origin.seen.get('PUT /x') === 1);
    world.proxy.refuse();
    world.proxy.cut();
    await world.lost();

    // The body comes while nobody is there to take it.
    client.socket.write('5\r\nfirst\r\n');
    await pause(50);
    world.proxy.accept();
    await eventually('its head is there again', () => origin.seen.get('PUT /x') === 2);
    client.socket.write('6\r\nsecond\r\n0\r\n\r\n');

    expect(await client.until('PUT /x 2')).toMatch(/^HTTP\/1\.1 200 /);
    expect(origin.bodies.get('PUT /x')).toEqual(['firstsecond']);
  });

  it('H13 a PUT whose whole body comes while it waits to be sent again is delivered whole', async () => {
    await using origin = await startCountingOrigin();
    await using world = await startCuttableWorld(origin, transport);
    const body = 'z'.repeat(200_000);
    using client = await rawClient(world.port, requestText('PUT', '/x', testHost, [`Content-Length: ${body.length}`]));
    await eventually('its head is at the origin', () => origin.seen.get('PUT /x') === 1);
    world.proxy.refuse();
    world.proxy.cut();
    await world.lost();

    client.socket.write(body);
    await pause(50);
    world.proxy.accept();

    expect(await client.until('PUT /x 2')).toMatch(/^HTTP\/1\.1 200 /);
    expect(origin.bodies.get('PUT /x')).toEqual([body]);
  });

  it.each([
    ['an empty chunked body', ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['an empty chunked body with trailers', ['Transfer-Encoding: chunked'], '0\r\nX-Sum: 1\r\n\r\n'],
    ['a body of zero octets', ['Content-Length: 0'], ''],
  ])('H13 a PUT with %s that is sent again ends again', async (_name, fields, body) => {
    await using origin = await startCountingOrigin(hangsOnce);
    await using world = await startCuttableWorld(origin, transport);
    using client = await rawClient(world.port, requestText('PUT', '/x', testHost, fields) + body);
    await eventually('it is at the origin', () => origin.seen.get('PUT /x') === 1);
    await pause(50);

    world.proxy.cut();

    expect(await client.until('PUT /x 2')).toMatch(/^HTTP\/1\.1 200 /);
    expect(world.edge.edge.stats()[0]).toMatchObject({ requests: 1, responses: 1, inFlight: 0 });
    await world.agent.event('request', ({ status }) => status === 200);
  });

  it('H13 a GET whose answer has begun is broken off, not sent again', async () => {
    let times = 0;
    await using origin = await startHttpOrigin((_request, response) => {
      times += 1;
      response.setHeader('Content-Length', 100);
      response.write('part');
    });
    await using world = await startCuttableWorld(origin, transport);
    using client = await rawClient(world.port, requestText('GET', '/', testHost));
    await client.until('part');

    world.proxy.cut();

    expect(await client.ended).toBe('broken');
    expect(times).toBe(1);
  });

  it('H13 a GET that has got an interim answer is not sent again', async () => {
    let times = 0;
    await using origin = await startHttpOrigin((_request, response) => {
      times += 1;
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    });
    await using world = await startCuttableWorld(origin, transport);
    using client = await rawClient(world.port, requestText('GET', '/', testHost));
    await client.until('103 Early Hints');

    world.proxy.cut();

    await client.until('GIR_ERR_SESSION_LOST');
    expect(times).toBe(1);
  });

  it('H13 an agent that is replaced by another one loses no GET', async () => {
    await using origin = await startCountingOrigin(() => pause(20));
    await using world = await startCuttableWorld(origin, transport);
    const answers: Promise<string>[] = [];
    for (let index = 0; index < 60; index += 1) {
      if (index === 30) await world.agent[Symbol.asyncDispose]();
      answers.push(world.client.get(`/${index}`).then(({ status }) => `${status}`));
      await pause(5);
    }
    await using _next = await startTestAgent(world.ports, testHost, origin.target, { transport });

    expect(new Set(await Promise.all(answers))).toEqual(new Set(['200']));
  });

  it('H13 an edge that stops in mid-flight repeats nothing', async () => {
    await using origin = await startCountingOrigin(() => pause(100));
    const world = await startCuttableWorld(origin, transport);
    const answers = Array.from({ length: 20 }, (_, index) =>
      world.client.send('POST', `/${index}`, 'x').catch(() => 'broken'),
    );
    await eventually('some are at the origin', () => origin.seen.size > 0);
    await world[Symbol.asyncDispose]();
    await Promise.all(answers);

    expect([...origin.seen.values()].filter((times) => times > 1)).toEqual([]);
  });

  it('H13 under a storm of cuts every GET succeeds and no POST comes twice', async () => {
    await using origin = await startCountingOrigin(() => pause(5));
    await using world = await startCuttableWorld(origin, transport);
    let isStormy = true;
    let count = 0;
    const failed: string[] = [];
    const answered: string[] = [];
    const worker = async (method: string): Promise<void> => {
      while (isStormy) {
        count += 1;
        const path = `/${count}`;
        const answer = await world.client.send(method, path, method === 'POST' ? 'body' : undefined);
        if (answer.status === 200) answered.push(`${method} ${path}`);
        else failed.push(`${method} ${answer.status}`);
        await pause(1);
      }
    };
    const work = [...Array(8).fill('GET'), ...Array(8).fill('POST')].map((method: string) => worker(method));
    for (let cut = 0; cut < 10; cut += 1) {
      await pause(150 + cut * 7);
      const sessions = world.agent.events.filter(({ type }) => type === 'ready').length;
      world.proxy.cut();
      await eventually(
        'the agent is back',
        () => world.agent.events.filter(({ type }) => type === 'ready').length > sessions,
      );
    }
    isStormy = false;
    await Promise.all(work);

    note(`H13 ${transport}: ${count} requests under 10 cuts, ${failed.length} POSTs answered 502`);
    expect(failed.filter((failure) => failure !== 'POST 502')).toEqual([]);
    expect([...origin.seen].filter(([path, times]) => path.startsWith('POST') && times > 1)).toEqual([]);
    expect(answered.filter((path) => !origin.seen.has(path))).toEqual([]);
    const { requests, responses, errors, inFlight } = world.edge.edge.stats()[0] ?? {};
    expect({ requests, inFlight, sum: (responses ?? 0) + (errors ?? 0) }).toEqual({
      requests: count,
      inFlight: 0,
      sum: count,
    });
  });
});

describe('in a hybrid session', () => {
  it('H13 a GET whose gRPC carrier is cut is sent again over the TCP tunnel at once', async () => {
    await using origin = await startCountingOrigin(hangsOnce);
    await using edge = await startTestEdge({ reconnectGraceMs: 0 });
    await using proxy = await startCuttableProxy(edge.edge.ports.grpc);
    const ports = { grpc: proxy.port, tunnel: edge.edge.ports.tunnel };
    await using agent = await startTestAgent(ports, testHost, origin.target);
    using client = new HttpClient(edge.edge.ports.proxy, testHost);
    const { outgoing, answer } = client.open('GET', '/x');
    outgoing.end();
    await eventually('it is at the origin', () => origin.seen.get('GET /x') === 1);
    proxy.refuse();
    proxy.cut();

    expect((await readAnswer(await answer)).status).toBe(200);
    expect(edge.edge.stats()[0]?.transports).toMatchObject({ grpc: 0, tcp: 1 });

    // And back, without a new session.
    proxy.accept();
    await agent.event('mode', ({ mode }) => mode === 'tcp');
    await eventually('hybrid again', () => lastMode(agent.events) === 'hybrid');
    await client.get('/y');
    expect(edge.edge.stats()[0]?.transports).toMatchObject({ grpc: 1, tcp: 1 });
    expect(agent.events.filter(({ type }) => type === 'ready')).toHaveLength(1);
  });

  it('H13 a POST whose gRPC carrier is cut is not sent again over the TCP tunnel', async () => {
    await using origin = await startCountingOrigin(() => new Promise(() => {}));
    await using edge = await startTestEdge();
    await using proxy = await startCuttableProxy(edge.edge.ports.grpc);
    await using _agent = await startTestAgent(
      { grpc: proxy.port, tunnel: edge.edge.ports.tunnel },
      testHost,
      origin.target,
    );
    using client = new HttpClient(edge.edge.ports.proxy, testHost);
    const answer = client.send('POST', '/x', 'pizza');
    await eventually('it is at the origin', () => origin.seen.get('POST /x') === 1);

    proxy.cut();

    expect((await answer).status).toBe(502);
    expect(origin.seen.get('POST /x')).toBe(1);
  });
});

function lastMode(events: readonly { type: string }[]): string | undefined {
  const changes = events.filter((event): event is { type: 'mode'; mode: string } => event.type === 'mode');
  return changes.at(-1)?.mode;
}
