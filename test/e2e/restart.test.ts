/** Processes that are killed, frozen and started again, and many of them on one machine. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { GiraffeHome, keptPorts, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';

const domain = 'app.localhost';

function startNamedOrigin(name: string): Promise<Origin> {
  return startHttpOrigin((_request, response) => response.end(name));
}

describe('after kill -9', () => {
  it('T3 of the edge the agent serves again, on the same ports and without a new token', async () => {
    await using home = new GiraffeHome();
    await using origin = await startNamedOrigin('origin');
    const edge = await home.startEdge([], await keptPorts());
    const agent = await home.startAgent(edge, origin.port, ['--domain', domain]);
    expect(await edge.process.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await agent.event('reconnecting')).toMatchObject({ code: expect.stringMatching(/^GIR_ERR_/) });
    const again = await home.startEdge([], edge.ports);
    expect(again.ports).toEqual(edge.ports);
    await servesHybrid(agent, 2);
    using client = new HttpClient(edge.ports.proxy, domain);
    expect((await client.get('/')).text).toBe('origin');
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('T3 of the edge a memorable name stays the same', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge([], await keptPorts());
    const agent = await home.startAgent(edge, 3000);
    const { url } = await agent.event('ready');
    await edge.process.end('SIGKILL');
    await home.startEdge([], edge.ports);
    await servesHybrid(agent, 2);
    const urls = agent.events.filter(({ event }) => event === 'ready').map((event) => event['url']);
    expect(new Set(urls)).toEqual(new Set([url]));
  });

  it('T3 of the agent a new one serves the name at once, and its clients waited', async () => {
    await using home = new GiraffeHome();
    await using origin = await startNamedOrigin('origin');
    const edge = await home.startEdge(['--reconnect-grace', '30s']);
    const agent = await home.startAgent(edge, origin.port, ['--domain', domain]);
    await agent.end('SIGKILL');
    using client = new HttpClient(edge.ports.proxy, domain);
    const waiting = client.get('/');
    await home.startAgent(edge, origin.port, ['--domain', domain]);
    expect(await waiting).toMatchObject({ status: 200, text: 'origin' });
    expect((await client.get('/')).text).toBe('origin');
  });

  it('T3 of the agent its clients read that nobody serves the name', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge(['--reconnect-grace', '0']);
    const agent = await home.startAgent(edge, 3000, ['--domain', domain]);
    await agent.end('SIGKILL');
    using client = new HttpClient(edge.ports.proxy, domain);
    await eventually('503', async () => (await client.get('/')).status === 503);
    const answer = await client.get('/');
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.text).toContain('GIR_ERR_');
  });
});

describe('a frozen process', () => {
  it('T3 an agent that was stopped for longer than two pings serves again when it wakes', async () => {
    await using home = new GiraffeHome();
    await using origin = await startNamedOrigin('origin');
    const edge = await home.startEdge(['--keep-alive', '300ms']);
    const agent = await home.startAgent(edge, origin.port, ['--domain', domain]);
    agent.kill('SIGSTOP');
    await edge.process.prints('GIR_ERR_PING_TIMEOUT');
    agent.kill('SIGCONT');
    await servesHybrid(agent, 2);
    using client = new HttpClient(edge.ports.proxy, domain);
    expect((await client.get('/')).text).toBe('origin');
  });

  it('T3 an edge that was stopped for longer than two pings gets its agent back when it wakes', async () => {
    await using home = new GiraffeHome();
    await using origin = await startNamedOrigin('origin');
    const edge = await home.startEdge(['--keep-alive', '300ms']);
    const agent = await home.startAgent(edge, origin.port, ['--domain', domain]);
    edge.process.kill('SIGSTOP');
    await agent.event('reconnecting');
    edge.process.kill('SIGCONT');
    await servesHybrid(agent, 2);
    using client = new HttpClient(edge.ports.proxy, domain);
    expect((await client.get('/')).text).toBe('origin');
  });
});

describe('several on one machine', () => {
  it('T7 two edges and three agents on ports of their own choice serve side by side', async () => {
    await using first = new GiraffeHome();
    await using second = new GiraffeHome();
    await using red = await startNamedOrigin('red');
    await using green = await startNamedOrigin('green');
    await using blue = await startNamedOrigin('blue');
    const [one, two] = await Promise.all([first.startEdge(), second.startEdge()]);
    await Promise.all([
      first.startAgent(one, red.port, ['--domain', 'red.localhost']),
      first.startAgent(one, green.port, ['--domain', domain]),
      second.startAgent(two, blue.port, ['--domain', domain]),
    ]);
    const ports = [...Object.values(one.ports), ...Object.values(two.ports)] as number[];
    expect(new Set(ports).size).toBe(8);
    const get = async (port: number, host: string): Promise<string> => {
      using client = new HttpClient(port, host);
      return (await client.get('/')).text;
    };
    expect(await get(one.ports.proxy, 'red.localhost')).toBe('red');
    expect(await get(one.ports.proxy, domain)).toBe('green');
    expect(await get(two.ports.proxy, domain)).toBe('blue');
    expect(await get(two.ports.proxy, 'red.localhost')).toContain('GIR_ERR_');
  });

  it('T7 a second edge with the same state folder works beside the first', async () => {
    await using home = new GiraffeHome();
    await using origin = await startNamedOrigin('origin');
    const [one, two] = [await home.startEdge(), await home.startEdge()];
    for (const edge of [one, two]) {
      await home.startAgent(edge, origin.port, ['--domain', domain]);
      using client = new HttpClient(edge.ports.proxy, domain);
      expect((await client.get('/')).text).toBe('origin');
    }
  });
});
