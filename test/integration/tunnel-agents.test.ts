/** T4: several agents behind one name, and agents that come back. */
import { describe, expect, it } from 'vitest';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import type { AgentSettings } from '../support/agent-process.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { type Links, startLinks } from '../support/links.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { RunningClock } from '../support/running-clock.ts';
import { type ScriptProcess, startScript } from '../support/script-process.ts';
import { startLoad } from '../support/steady-load.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from '../support/world.ts';

interface CountingOrigin extends Origin {
  /** Requests so far. */
  readonly requests: number;
}

/** An origin that answers with its name after a moment. */
async function startNamedOrigin(name: string, delayMs = 10): Promise<CountingOrigin> {
  let requests = 0;
  const origin = await startHttpOrigin((request, response) => {
    requests += 1;
    request.resume();
    setTimeout(() => response.end(name), delayMs);
  });
  return Object.defineProperties(origin, { requests: { get: () => requests } }) as CountingOrigin;
}

/** An agent whose network can be taken away. */
async function startLinkedAgent(server: TestEdge, target: string): Promise<{ agent: TestAgent; links: Links }> {
  const links = await startLinks(server.edge.ports);
  const agent = await startTestAgent(server.edge.ports, 'app.test', target, { server: links.server });
  return { agent, links };
}

describe('several agents, one name', () => {
  it('T4 three agents share the load, and none is refused because the name is taken', async () => {
    await using origins = new Lifetimes();
    await using server = await startTestEdge();
    const named: CountingOrigin[] = [];
    for (const name of ['a', 'b', 'c']) {
      const origin = origins.use(await startNamedOrigin(name));
      named.push(origin);
      origins.use(await startTestAgent(server.edge.ports, 'app.test', origin.target));
    }
    const load = startLoad(server.edge.ports.proxy, { clients: 30 });
    await load.more(600);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(server.edge.stats()[0]).toMatchObject({ sessions: 3, errors: 0 });
    for (const { requests } of named) expect(requests).toBeGreaterThan(100);
  });

  it('T4 one at a time, too: agents that are equally free take turns', async () => {
    await using a = await startNamedOrigin('a', 0);
    await using b = await startNamedOrigin('b', 0);
    await using server = await startTestEdge();
    await using _first = await startTestAgent(server.edge.ports, 'app.test', a.target);
    await using _second = await startTestAgent(server.edge.ports, 'app.test', b.target);
    const load = startLoad(server.edge.ports.proxy, { clients: 1 });
    await load.more(100);
    await load.stop();
    expect(Math.min(a.requests, b.requests)).toBeGreaterThan(20);
  });

  it('T4 kill -9 of either of two under load: no idempotent request fails', async () => {
    const { caPem } = await testCertificate();
    await using origin = await startNamedOrigin('ok', 20);
    await using server = await startTestEdge();
    const { ports } = server.edge;
    const settings: AgentSettings = {
      ports,
      domain: 'app.test',
      target: origin.target,
      options: { trust: { kind: 'ca', pem: caPem } },
    };
    await using all = new Lifetimes();
    const start = async (): Promise<ScriptProcess<'ready'>> =>
      all.use(await startScript<'ready'>('agent-process', settings));
    const [first, second] = [await start(), await start()];
    const load = startLoad(ports.proxy, { clients: 30 });
    for (const dies of [first, second]) {
      await load.more(200);
      expect(server.edge.stats()[0]?.sessions).toBe(2);
      await dies.kill();
      await load.more(200);
      if (dies === first) await start();
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(server.edge.stats()[0]).toMatchObject({ sessions: 1, errors: 0, inFlight: 0 });
  });

  it('T4 one of three loses its network again and again: no idempotent request fails', async () => {
    await using origin = await startNamedOrigin('ok', 20);
    await using server = await startTestEdge();
    await using stack = new Lifetimes();
    for (let index = 0; index < 2; index += 1) {
      stack.use(await startTestAgent(server.edge.ports, 'app.test', origin.target));
    }
    const links = stack.use(await startLinks(server.edge.ports));
    stack.use(await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server }));
    const load = startLoad(server.edge.ports.proxy, { clients: 30 });
    for (let round = 0; round < 5; round += 1) {
      await load.more(100);
      links.both('refuse');
      links.both('cut');
      await eventually('two are left', () => server.edge.stats()[0]?.sessions === 2);
      await load.more(100);
      links.both('accept');
      await eventually('all are back', () => server.edge.stats()[0]?.sessions === 3);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(server.edge.stats()[0]).toMatchObject({ errors: 0, inFlight: 0 });
  });

  it('T4 a frozen agent among healthy ones: what it holds moves on, nothing fails', async () => {
    const { caPem } = await testCertificate();
    await using origin = await startNamedOrigin('ok', 5);
    await using server = await startTestEdge({ keepAliveMs: 300 });
    const { ports } = server.edge;
    const options: AgentSettings['options'] = { trust: { kind: 'ca', pem: caPem } };
    const settings: AgentSettings = { ports, domain: 'app.test', target: origin.target, options };
    await using _stays = await startTestAgent(ports, 'app.test', origin.target);
    await using freezes = await startScript('agent-process', settings);
    const load = startLoad(ports.proxy, { clients: 20 });
    await load.more(100);
    freezes.freeze();
    await eventually('it has been given up', () => server.edge.stats()[0]?.sessions === 1);
    await load.more(100);
    freezes.wake();
    await eventually('it is back', () => server.edge.stats()[0]?.sessions === 2);
    await load.stop();
    expect(load.failures).toEqual([]);
  });
});

describe('an agent that comes back', () => {
  it('T4 its old session is replaced at once, long before any ping could tell', async () => {
    await using origin = await startNamedOrigin('ok');
    await using server = await startTestEdge({ keepAliveMs: 600_000 });
    const { agent, links } = await startLinkedAgent(server, origin.target);
    await using _agent = agent;
    await using _links = links;
    links.both('forget');
    using clock = new RunningClock();
    await eventually('it serves again', () => agent.events.filter(({ type }) => type === 'ready').length === 2);
    expect(clock.ranMs).toBeLessThan(3000);
    expect(server.edge.stats()[0]?.sessions).toBe(1);
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    for (let index = 0; index < 20; index += 1) expect((await client.get('/')).text).toBe('ok');
    const replaced = (): string[] =>
      server.log.filter((line) => line['reason'] === 'GIR_ERR_SESSION_REPLACED').map(({ message }) => message);
    await eventually('both old carriers are closed', () => replaced().length === 3);
    expect(replaced()).toEqual(['carrier closed', 'carrier closed', 'session closed']);
    expect(server.log.filter(({ message }) => message === 'session opened')).toHaveLength(2);
  });

  it('T4 what the old session had in flight is sent over the new one', async () => {
    let requests = 0;
    await using origin = await startHttpOrigin((_request, response) => {
      requests += 1;
      // The first one never answers.
      if (requests > 1) response.end('second attempt');
    });
    await using server = await startTestEdge({ keepAliveMs: 600_000 });
    const { agent, links } = await startLinkedAgent(server, origin.target);
    await using _agent = agent;
    await using _links = links;
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    const answer = client.get('/');
    await eventually('the origin has it', () => requests === 1);
    links.both('forget');
    expect((await answer).text).toBe('second attempt');
    expect(requests).toBe(2);
  });

  it('T4 one carrier that is forgotten is replaced in its session', async () => {
    await using origin = await startNamedOrigin('ok');
    await using server = await startTestEdge({ keepAliveMs: 600_000 });
    const { agent, links } = await startLinkedAgent(server, origin.target);
    await using _agent = agent;
    await using _links = links;
    const load = startLoad(server.edge.ports.proxy);
    await load.more(20);
    links.grpc.forget();
    await agent.event('mode', ({ mode }) => mode === 'hybrid');
    await load.more(20);
    links.tunnel.forget();
    await eventually('it is hybrid for the second time', () => {
      return agent.events.filter((event) => event.type === 'mode' && event.mode === 'hybrid').length === 2;
    });
    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(agent.events.filter(({ type }) => type === 'ready')).toHaveLength(1);
    expect(server.edge.stats()[0]?.sessions).toBe(1);
  });

  it('T4 another agent with the same name and another token joins and leaves as it likes', async () => {
    await using mine = await startNamedOrigin('mine');
    await using theirs = await startNamedOrigin('theirs');
    await using server = await startTestEdge(
      {},
      {
        authenticate: async (token) => ({ id: token, endpoints: ['*'], expiresAt: undefined }),
      },
    );
    await using _stays = await startTestAgent(server.edge.ports, 'app.test', mine.target, { token: 'mine' });
    const load = startLoad(server.edge.ports.proxy);
    for (let round = 0; round < 5; round += 1) {
      await using _guest = await startTestAgent(server.edge.ports, 'app.test', theirs.target, {
        token: `theirs-${round}`,
      });
      await load.more(30);
      await _guest.agent.drain(5000);
      await load.more(10);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(theirs.requests).toBeGreaterThan(20);
  });
});
