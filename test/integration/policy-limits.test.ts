/** Acceptance P1 and bounds of S5: rate limits, places, bodies and times of an endpoint, over a whole tunnel. */
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { noPolicy } from '../../src/edge/policy/policy-gate.ts';
import { eventually } from '../support/eventually.ts';
import { startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { codeOf, startPolicyAgent, startPolicyWorld } from '../support/policy-world.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { testHost } from '../support/tunnel-world.ts';
import { openUpgrade, switching } from '../support/upgrade-sockets.ts';
import { startTestEdge } from '../support/world.ts';

const rate = (rpm: number, burst = 0, announce = true) => ({ rpm, burst, announce });
const startHello = () => startHttpOrigin((_request, response) => response.end('hello'));

/** An origin that agrees to every upgrade and answers everything else. */
const startUpgrading = () =>
  startSocketOrigin((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const isUpgrade = chunk.toString('latin1').includes('Upgrade:');
      socket.write(isUpgrade ? switching : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });

describe('P1 the rate limit of a tunnel', () => {
  it('P1 answers the request above it with 429, Retry-After and the RateLimit fields', async () => {
    await using origin = await startHello();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { rateLimit: rate(2, 1) } } });

    const first = await world.client.get('/');
    expect([first.status, first.headers['ratelimit-policy']]).toEqual([200, '"tunnel";q=3;w=90']);
    expect(first.headers['ratelimit']).toBe('"tunnel";r=2;t=30');
    await world.client.get('/');
    await world.client.get('/');
    const refused = await world.client.get('/');

    expect([refused.status, codeOf(refused.text)]).toEqual([429, 'GIR_ERR_RATE_LIMITED']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(refused.headers['ratelimit']).toMatch(/^"tunnel";r=0;t=\d+$/);
    expect(refused.headers['proxy-status']).toContain('http_request_error');
    expect(world.edge.edge.stats()[0]?.codes).toEqual({ GIR_ERR_RATE_LIMITED: 1 });
  });

  it('P1 lets exactly as many of 1,000 parallel requests pass as 600 per minute allow', async () => {
    await using origin = await startHello();
    await using world = await startPolicyWorld(origin, { operator: { defaults: { rateLimit: rate(600, 0, false) } } });

    const startedMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => world.client.get('/')));
    const filled = Math.ceil((performance.now() - startedMs) / 100);

    const passed = answers.filter(({ status }) => status === 200);
    expect(passed.length).toBeGreaterThanOrEqual(600);
    expect(passed.length).toBeLessThanOrEqual(600 + filled);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1000 - passed.length);
    expect(passed.some(({ headers }) => 'ratelimit' in headers)).toBe(false);
  });

  it('P1 counts upgrades', async () => {
    await using origin = await startUpgrading();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { rateLimit: rate(1) } } });

    using first = await openUpgrade(world.port);
    using second = await openUpgrade(world.port);

    expect(first.head).toMatch(/^HTTP\/1\.1 101 /);
    expect(first.head).toContain('RateLimit: "tunnel";r=0');
    expect(second.head).toMatch(/^HTTP\/1\.1 429 /);
  });

  it('P1 limits each client address by itself, and knows clients behind a trusted proxy', async () => {
    await using origin = await startHello();
    await using world = await startPolicyWorld(origin, {
      operator: { defaults: { clientRateLimit: rate(1) } },
      edge: { trustedProxies: ['127.0.0.1'] },
    });
    const from = async (client: string) =>
      (await world.client.get('/', { headers: { 'X-Forwarded-For': `203.0.113.1, ${client}` } })).status;

    expect(await from('198.51.100.1')).toBe(200);
    expect(await from('198.51.100.1')).toBe(429);
    expect(await from('198.51.100.2')).toBe(200);
    expect([await from('2001:db8::1'), await from('2001:db8::2')]).toEqual([200, 429]);
  });

  it('P1 limits a client over all endpoints, those that do not exist included', async () => {
    await using edge = await startTestEdge({}, { policy: { ...noPolicy, clientRateLimit: rate(2) } });
    const statuses: string[] = [];
    for (const host of ['a.test', 'b.test', 'c.test']) {
      using client = await rawClient(edge.edge.ports.proxy, requestText('GET', '/', host, ['Connection: close']));
      await client.ended;
      statuses.push(client.text.slice(9, 12));
    }
    expect(statuses).toEqual(['404', '404', '429']);
  });

  it('T8 puts another limit in force without dropping what is in flight', async () => {
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/slow') response.write('begin');
      else response.end('hello');
      if (request.url === '/slow') setTimeout(() => response.end('end'), 300);
    });
    await using world = await startPolicyWorld(origin, {});
    const slow = world.client.get('/slow');
    await eventually('the slow one is in flight', () => world.edge.edge.stats()[0]?.inFlight === 1);

    world.edge.edge.changePolicy({ ...noPolicy, defaults: { rateLimit: rate(1) } });

    expect([(await world.client.get('/')).status, (await world.client.get('/')).status]).toEqual([200, 429]);
    expect((await slow).text).toBe('beginend');
    world.edge.edge.changePolicy(noPolicy);
    expect((await world.client.get('/')).status).toBe(200);
  });
});

describe('places', () => {
  it('S5 refuses one request more than the tunnel may have in flight, and takes it when one has ended', async () => {
    const waiting: (() => void)[] = [];
    await using origin = await startHttpOrigin((_request, response) => void waiting.push(() => response.end('late')));
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { maxConcurrent: 2 } } });
    const held = [world.client.get('/'), world.client.get('/')];
    await eventually('both are at the origin', () => waiting.length === 2);

    const refused = await world.client.get('/');
    expect([refused.status, codeOf(refused.text), refused.headers['retry-after']]).toEqual([
      503,
      'GIR_ERR_CONCURRENCY_LIMIT',
      '1',
    ]);

    for (const answer of waiting.splice(0)) answer();
    await Promise.all(held);
    const next = world.client.get('/');
    await eventually('the next one is at the origin', () => waiting.length === 1);
    waiting[0]?.();
    expect((await next).status).toBe(200);
  });

  it('S5 refuses one upgraded connection more than the tunnel may have, and takes it when one has ended', async () => {
    await using origin = await startUpgrading();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { maxWebSockets: 1, maxConcurrent: 1 } } });
    using first = await openUpgrade(world.port);
    using second = await openUpgrade(world.port);
    expect([first.head, second.head].map((head) => head.slice(9, 12))).toEqual(['101', '503']);

    first.socket.resetAndDestroy();
    await eventually('the relay is over', () => world.edge.edge.stats()[0]?.inFlight === 0);

    using third = await openUpgrade(world.port);
    expect(third.head).toMatch(/^HTTP\/1\.1 101 /);
  });
});

describe('bodies', () => {
  const startReading = () =>
    startHttpOrigin((request, response) => {
      request.on('error', () => {});
      request.resume().on('end', () => response.end('got it'));
    });

  it('S5 refuses a body by its Content-Length before any of it', async () => {
    await using origin = await startReading();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { maxBodyBytes: 1000 } } });

    expect((await world.client.send('POST', '/', Buffer.alloc(1000))).status).toBe(200);
    using client = await rawClient(world.port, requestText('POST', '/', testHost, ['Content-Length: 1001']));
    await client.ended;

    expect(client.text).toMatch(/^HTTP\/1\.1 413 /);
    expect(codeOf(client.text)).toBe('GIR_ERR_REQUEST_BODY_TOO_LARGE');
    expect(origin.connections).toBe(1);
  });

  it('S5 refuses a chunked body when it has become too large, and the origin is told', async () => {
    await using origin = await startReading();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { maxBodyBytes: 1000 } } });
    using client = await rawClient(world.port, requestText('POST', '/', testHost, ['Transfer-Encoding: chunked']));
    client.socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`);
    await eventually('the request is at the origin', () => origin.open.size === 1);
    client.socket.write('1\r\nx\r\n');
    await client.ended;

    expect(client.text).toMatch(/^HTTP\/1\.1 413 /);
    await eventually('the origin is told', () => origin.open.size === 0);
  });

  it('S5 breaks a transfer off when the body becomes too large behind the head of its answer', async () => {
    await using origin = await startHttpOrigin((request, response) => {
      request.on('error', () => {}).resume();
      response.write('early');
    });
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { maxBodyBytes: 10 } } });
    using client = await rawClient(world.port, requestText('POST', '/', testHost, ['Transfer-Encoding: chunked']));
    client.socket.write('5\r\nhello\r\n');
    await client.until('early');
    client.socket.write('6\r\nworld!\r\n');

    expect(await client.ended).toBe('broken');
    expect(client.text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('times', () => {
  it('S5 a tunnel’s own request time-out holds instead of the edge’s', async () => {
    await using origin = await startHttpOrigin(() => {});
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { requestTimeoutMs: 100 } } });
    const answer = await world.client.get('/');
    expect([answer.status, codeOf(answer.text)]).toEqual([504, 'GIR_ERR_RESPONSE_TIMEOUT']);
  });

  it('S5 a response or a relay in which nothing moves is cut, one that moves is not', async () => {
    await using origin = await startSocketOrigin((socket) => {
      socket.on('data', (chunk: Buffer) => {
        const text = chunk.toString('latin1');
        if (text.includes('Upgrade:')) socket.write(switching);
        else if (text.startsWith('GET '))
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
        else socket.write(chunk);
      });
    });
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { idleTimeoutMs: 1500 } } });
    using moving = await openUpgrade(world.port);
    using idle = await openUpgrade(world.port);
    using stream = await rawClient(world.port, requestText('GET', '/', testHost));
    const idleEnd = new Promise((resolve) => idle.socket.once('close', resolve).on('error', () => {}));
    const beat = setInterval(() => moving.socket.write('beat'), 50);

    await Promise.all([idleEnd, stream.ended]);
    await moving.reader.through('beatbeat');
    clearInterval(beat);

    expect(stream.text).toContain('1\r\na\r\n');
    expect(world.edge.edge.stats()[0]).toMatchObject({ inFlight: 1, codes: { GIR_ERR_IDLE_TIMEOUT: 2 } });
  });
});

describe('two agents with different policies', () => {
  it('puts in force what the newest one asks for', async () => {
    await using origin = await startHello();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { rateLimit: rate(1) } } });
    expect([(await world.client.get('/')).status, (await world.client.get('/')).status]).toEqual([200, 429]);

    await using _newer = await startPolicyAgent(world.edge, origin, { policy: { rateLimit: rate(100) } });

    expect((await world.client.get('/')).status).toBe(200);
  });
});
