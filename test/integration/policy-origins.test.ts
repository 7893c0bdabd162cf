/** Acceptance P2 and P3: an origin that fails is spared, and an agent whose origin is down is passed over. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { readAnswer } from '../support/http-client.ts';
import { startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { codeOf, startPolicyAgent, startPolicyWorld } from '../support/policy-world.ts';

describe('P2 the circuit breaker', () => {
  it('P2 opens after failures in a row, tries once, and closes again', async () => {
    const origin = { isBroken: true, requests: 0 };
    await using server = await startSocketOrigin((socket) => {
      socket.on('data', () => {
        origin.requests += 1;
        if (origin.isBroken) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const breaker = { failures: 3, openMs: 300, statuses: [] };
    await using world = await startPolicyWorld(server, { tunnel: { policy: { breaker } } });
    const state = () => world.edge.edge.stats()[0]?.breaker;

    for (let failure = 0; failure < 3; failure += 1) expect((await world.client.get('/')).status).toBe(502);
    const requests = origin.requests;
    const spared = await world.client.get('/');
    expect([spared.status, codeOf(spared.text), spared.headers['retry-after'], state()]).toEqual([
      503,
      'GIR_ERR_BREAKER_OPEN',
      '1',
      'open',
    ]);
    expect(origin.requests).toBe(requests);

    await eventually('the breaker is half open', () => state() === 'half-open');
    expect((await world.client.get('/')).status).toBe(502);
    expect(state()).toBe('open');

    origin.isBroken = false;
    await eventually('the breaker is half open again', () => state() === 'half-open');
    expect((await world.client.get('/')).status).toBe(200);
    expect([state(), (await world.client.get('/')).status]).toEqual(['closed', 200]);
    expect(world.edge.edge.stats()[0]?.codes['GIR_ERR_BREAKER_OPEN']).toBe(1);
  });

  it('P2 counts the statuses that it is told to, and a response that breaks off', async () => {
    let cut = (): void => {};
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/503') response.writeHead(503).end();
      else if (request.url !== '/cut') response.writeHead(500).end();
      else {
        response.write('half');
        cut = () => response.destroy();
      }
    });
    const breaker = { failures: 3, openMs: 60_000, statuses: [503] };
    await using world = await startPolicyWorld(origin, { operator: { defaults: { breaker } } });

    expect((await world.client.get('/500')).status).toBe(500);
    expect((await world.client.get('/503')).status).toBe(503);
    const { outgoing, answer } = world.client.open('GET', '/cut');
    outgoing.end();
    const begun = await answer;
    cut();
    await expect(readAnswer(begun)).rejects.toThrow();
    expect((await world.client.get('/503')).headers['proxy-status']).toBeUndefined();
    expect(codeOf((await world.client.get('/503')).text)).toBe('GIR_ERR_BREAKER_OPEN');
  });

  it('P2 is closed by a probe whose answer has begun, however long it lasts', async () => {
    let isBroken = true;
    await using origin = await startHttpOrigin((request, response) => {
      if (isBroken) request.socket.destroy();
      else if (request.url === '/events') response.write('data: 1\n\n');
      else response.end('ok');
    });
    const breaker = { failures: 1, openMs: 100, statuses: [] };
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { breaker } } });
    await world.client.get('/');
    isBroken = false;
    await eventually('the breaker is half open', () => world.edge.edge.stats()[0]?.breaker === 'half-open');

    const { outgoing, answer } = world.client.open('GET', '/events');
    outgoing.end();
    expect((await answer).statusCode).toBe(200);

    expect((await world.client.get('/')).status).toBe(200);
    outgoing.destroy();
  });
});

describe('P3 the health of origins', () => {
  const check = { path: '/healthz', intervalMs: 50, timeoutMs: 1000, unhealthyAfter: 2, healthyAfter: 1 };

  it('P3 an agent whose health check fails says so and is passed over, until it passes again', async () => {
    const sick = { isSick: false };
    await using first = await startHttpOrigin((request, response) => {
      if (request.url === '/healthz') response.writeHead(sick.isSick ? 500 : 200).end();
      else response.end('first');
    });
    await using second = await startHttpOrigin((_request, response) => response.end('second'));
    await using world = await startPolicyWorld(first, { tunnel: { health: check } });
    await using _other = await startPolicyAgent(world.edge, second);
    const answers = async () => {
      const texts: string[] = [];
      for (let request = 0; request < 10; request += 1) texts.push((await world.client.get('/')).text);
      return [...new Set(texts)].sort();
    };
    expect(await answers()).toEqual(['first', 'second']);

    sick.isSick = true;
    const event = await world.agent.event('health');
    expect(event).toMatchObject({ domain: 'app.test', error: { code: 'GIR_ERR_ORIGIN_UNHEALTHY' } });
    await eventually('the edge knows', () => world.edge.log.some((line) => line.message === 'status of origins'));
    expect(await answers()).toEqual(['second']);

    sick.isSick = false;
    await world.agent.event('health', ({ error }) => error === undefined);
    await eventually('both serve again', async () => (await answers()).length === 2);
  });

  it('P3 without a check, exchanges that cannot reach the origin tell, and the agent looks until it is there again', async () => {
    await using other = await startHttpOrigin((_request, response) => response.end('other'));
    const first = await startHttpOrigin((_request, response) => response.end('first'));
    await using world = await startPolicyWorld(first, {});
    await using _other = await startPolicyAgent(world.edge, other);
    const statuses = () => world.edge.log.filter(({ message }) => message === 'status of origins');
    await first[Symbol.asyncDispose]();

    await eventually('an exchange has met it', async () => {
      expect((await world.client.get('/')).text).toBe('other');
      return statuses().length === 1;
    });
    expect(statuses()[0]).toMatchObject({ down: ['app.test'] });

    await using _back = await startHttpOrigin((_request, response) => response.end('first'), first.port);
    await eventually('the agent has found it', () => statuses().length === 2);
    expect(statuses()[1]).toMatchObject({ down: [] });
    await eventually('it serves again', async () => (await world.client.get('/')).text === 'first');
  });

  it('P3 an agent alone goes on to be asked: it may know less than the request finds out', async () => {
    await using origin = await startHttpOrigin((request, response) => {
      response.writeHead(request.url === '/healthz' ? 503 : 200).end('served');
    });
    await using world = await startPolicyWorld(origin, { tunnel: { health: check } });
    await world.agent.event('health');
    await eventually('the edge knows', () => world.edge.log.some((line) => line.message === 'status of origins'));
    expect((await world.client.get('/')).text).toBe('served');
  });
});
