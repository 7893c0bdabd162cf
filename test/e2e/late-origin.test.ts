/** A service or an edge that is not there yet: what is said, what clients get, and that it heals by itself. */
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { GiraffeHome, keptPorts, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';

const domain = 'late.localhost';

describe('a service that is not there yet', () => {
  it('H12 its tunnel opens, its clients get 502 in the form they ask for, and it serves as soon as it is up', async () => {
    await using home = new GiraffeHome();
    const port = await freePort();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, port, ['--domain', domain]);
    expect(await agent.event('origin')).toMatchObject({ reachable: false, target: `http://localhost:${port}` });
    using client = new HttpClient(edge.ports.proxy, domain);

    const page = await client.get('/', { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect(page.status).toBe(502);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.text).toContain('GIR_ERR_ORIGIN_REFUSED');
    expect(page.text).not.toContain(String(port));

    const problem = await client.get('/', { headers: { Accept: 'application/json' } });
    expect(problem.status).toBe(502);
    expect(problem.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(problem.text)).toMatchObject({ status: 502, code: 'GIR_ERR_ORIGIN_REFUSED', side: 'origin' });
    expect(problem.headers['proxy-status']).toContain('connection_refused');

    await using _origin = await startHttpOrigin((_request, response) => response.end('up'), port);
    expect(await client.get('/')).toMatchObject({ status: 200, text: 'up' });
    expect(await agent.event('origin', ({ reachable }) => reachable === true)).toBeDefined();
  });

  it('H12 an agent tells a person that nothing answers, and when it does', async () => {
    await using home = new GiraffeHome();
    const port = await freePort();
    const { ports } = await home.startEdge();
    const agent = home.run(['tunnel', String(port), '--server', `localhost:${ports.grpc}`]);
    await agent.prints(`Nothing answers at http://localhost:${port} (ECONNREFUSED)`);
    await using _origin = await startHttpOrigin((_request, response) => response.end('up'), port);
    await agent.prints(`http://localhost:${port} is there.`);
  });

  it('H12 a service that goes away is told of once, and again when it is back', async () => {
    await using home = new GiraffeHome();
    const port = await freePort();
    const first = await startHttpOrigin((_request, response) => response.end('first'), port);
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, port, ['--domain', domain]);
    using client = new HttpClient(edge.ports.proxy, domain);
    expect((await client.get('/')).text).toBe('first');
    await first[Symbol.asyncDispose]();
    expect((await client.get('/')).status).toBe(502);
    expect((await client.get('/')).status).toBe(502);
    await using _second = await startHttpOrigin((_request, response) => response.end('second'), port);
    await agent.event('origin', ({ reachable }) => reachable === true);
    expect((await client.get('/')).text).toBe('second');
    const told = agent.events.filter(({ event }) => event === 'origin').map(({ reachable }) => reachable);
    expect(told).toEqual([false, true]);
  });
});

describe('an edge that is not there yet', () => {
  it('T3 an agent says so, keeps trying, and serves when the edge is up', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge([], await keptPorts());
    await edge.process.end('SIGTERM');
    const { grpc, tunnel } = edge.ports;
    const server = ['--server', `localhost:${grpc}`, '--tunnel-port', String(tunnel)];
    const agent = home.run(['tunnel', '3000', '--json', ...server]);
    expect(await agent.event('reconnecting')).toMatchObject({
      code: 'GIR_ERR_EDGE_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
      delayMs: expect.any(Number),
    });
    await agent.event('connecting', ({ attempt }) => attempt === 3);
    await home.startEdge([], edge.ports);
    await servesHybrid(agent);
  });

  it('T3 an agent tells a person why there is no tunnel, once, and the next step', async () => {
    await using home = new GiraffeHome();
    const server = ['--server', 'localhost:9', '--tunnel-port', '9'];
    const agent = home.run(['tunnel', '3000', ...server], { env: { GIRAFFE_TOKEN: `grf_${'C'.repeat(43)}` } });
    await agent.until('three attempts', () => 3 < agent.stderr.split('No tunnel to localhost:9 yet').length);
    expect(agent.stderr).toMatch(/next attempt in \d+\.\d s/);
    expect(agent.stderr.split('No edge runs on this machine')).toHaveLength(2);
    expect(agent.stderr.split('✖ ')).toHaveLength(3);
  });
});
