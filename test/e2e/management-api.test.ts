/** The management API of a running edge, as its operator uses it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apiDocument } from '../../scripts/generate-api-docs.ts';
import { eventually } from '../support/eventually.ts';
import { GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { ManagementApi } from '../support/management-api.ts';
import { startHttpOrigin } from '../support/origins.ts';

const { paths } = JSON.parse(apiDocument()) as { readonly paths: Readonly<Record<string, object>> };
const protectedRoutes = Object.entries(paths)
  .filter(([path]) => path.startsWith('/api/'))
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path] as const));

describe('the management API', () => {
  it('S2 a token of an agent can do nothing through it', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    await home.startAgent(edge, 9, ['--domain', 'a.localhost']);
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    const agentToken = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
    expect(protectedRoutes.length).toBeGreaterThan(8);
    for (const [method, path] of [...protectedRoutes, ['GET', '/metrics'], ['GET', '/api/v1/openapi.json']] as const) {
      const wanted = path.replace('{domain}', 'a.localhost').replace('{id}', 'first');
      const body = method === 'POST' ? '{"name":"x"}' : undefined;
      for (const token of [agentToken, 'gra_wrong', api.token.slice(0, -1)]) {
        const response = await api.send(wanted, body === undefined ? { method } : { method, body }, token);
        expect([method, wanted, response.status]).toEqual([method, wanted, 401]);
        expect(await response.text()).not.toContain('a.localhost');
      }
    }
    expect(await api.json('/api/v1/tunnels')).toMatchObject({ tunnels: [{ domain: 'a.localhost', sessions: 1 }] });
    expect(await api.json('/api/v1/tokens')).toMatchObject({ tokens: [{ name: 'first' }] });
  });

  it('S3 disconnects an agent, which says so and stays away; tells it live; and lets it in when it is started again', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('x'));
    const edge = await home.startEdge();
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    using live = await api.events();
    const agent = await home.startAgent(edge, origin.port, ['--domain', 'a.localhost']);
    using client = new HttpClient(edge.ports.proxy, 'a.localhost');
    await client.get('/path?secret=1');
    expect(await live.event('session-opened')).toMatchObject({ v: 1, domains: ['a.localhost'] });
    expect(await live.event('session-mode')).toMatchObject({ mode: 'hybrid' });
    expect(await live.event('exchange')).toMatchObject({
      domain: 'a.localhost',
      method: 'GET',
      path: '/path',
      status: 200,
      transport: 'grpc',
      responseBytes: 1,
    });

    const answer = await api.send('/api/v1/tunnels/a.localhost', { method: 'DELETE' });
    expect(await answer.json()).toEqual({ disconnected: 1 });
    expect(await agent.ended()).toMatchObject({ code: 1 });
    expect(await agent.events.at(-1)).toMatchObject({ event: 'error', code: 'GIR_ERR_DISCONNECTED' });
    expect(await live.event('session-closed')).toMatchObject({ code: 'GIR_ERR_DISCONNECTED' });
    expect(await api.json('/api/v1/tunnels/a.localhost')).toMatchObject({ sessions: 0, agents: [] });

    await home.startAgent(edge, origin.port, ['--domain', 'a.localhost']);
    expect((await client.get('/')).status).toBe(200);
  });

  it('S3 disconnects one endpoint of several, which a reload does not bring back, and the others serve on', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('x'));
    const edge = await home.startEdge();
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    using live = await api.events();
    const write = (...names: readonly string[]): void => {
      const tunnels = names.map((name) => [name, { domain: `${name}.localhost`, target: origin.port }]);
      const agent = { server: `localhost:${edge.ports.grpc}` };
      writeFileSync(
        join(home.path, 'giraffe.config.json'),
        JSON.stringify({ agent, tunnels: Object.fromEntries(tunnels) }),
      );
    };
    write('one', 'two');
    const agent = home.run(['tunnel', '--json', '--log-level', 'info']);
    await servesHybrid(agent);
    const statusOf = async (name: string): Promise<number> => {
      using client = new HttpClient(edge.ports.proxy, `${name}.localhost`);
      return (await client.get('/')).status;
    };
    const listed = async (): Promise<unknown[]> => {
      const list = home.run(['tunnel', 'list', '--json']);
      await list.ended();
      return list.events.map(({ name }) => name);
    };

    const answer = await api.send('/api/v1/tunnels/one.localhost', { method: 'DELETE' });
    expect(await answer.json()).toEqual({ disconnected: 1 });
    expect(await agent.event('withdrawn')).toMatchObject({
      v: 1,
      name: 'one',
      domain: 'one.localhost',
      code: 'GIR_ERR_DISCONNECTED',
    });
    expect(await live.event('session-withdrawn')).toMatchObject({
      domain: 'one.localhost',
      domains: ['two.localhost'],
    });
    expect(await Promise.all(['one', 'two'].map(statusOf))).toEqual([503, 200]);
    const ready = agent.events.find(({ event }) => event === 'ready');
    const local = (await (await fetch(`${ready?.['apiUrl']}/api/tunnels`)).json()) as {
      readonly tunnels: readonly object[];
    };
    expect(local.tunnels).toHaveLength(1);
    expect(await listed()).toEqual(['two']);

    write('one', 'two', 'three');
    agent.kill('SIGHUP');
    await eventually('the reload', () => agent.stderr.includes('"changed":["tunnels"]'), 30_000);
    expect(agent.stderr).toContain('"tunnels":["one"],"msg":"not opened again');
    expect(agent.stderr).toContain('`giraffe tunnel NAME` opens one of them');
    expect(await Promise.all(['one', 'two', 'three'].map(statusOf))).toEqual([503, 200, 200]);
    expect(await listed()).toEqual(['two', 'three']);
    // A reload that changes nothing is none: the agent that serves stays.
    agent.kill('SIGHUP');
    await eventually('the reload', () => agent.stderr.includes('"changed":[]'), 30_000);
    expect(agent.events.filter(({ event }) => event === 'ready')).toHaveLength(2);

    // Its owner has that one back without a restart of the others.
    const alone = home.run(['tunnel', 'one', '--json']);
    await servesHybrid(alone);
    expect(await Promise.all(['one', 'two', 'three'].map(statusOf))).toEqual([200, 200, 200]);
    expect(await listed()).toEqual(['two', 'three', 'one']);
    await alone.end('SIGTERM');
    await agent.end('SIGTERM');

    await servesHybrid(home.run(['tunnel', '--json']));
    expect(await statusOf('one')).toBe(200);
  });

  it('makes a token that works, and revokes it: its session ends within a second', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    const made = await api.send('/api/v1/tokens', {
      method: 'POST',
      body: JSON.stringify({ name: 'ci', endpoints: ['ci.localhost'] }),
    });
    const { id, token } = (await made.json()) as { readonly id: string; readonly token: string };
    const env = { GIRAFFE_TOKEN: token };
    const agent = await home.startAgent(edge, 9, ['--domain', 'ci.localhost'], { env });
    const revokedAt = performance.now();
    expect((await api.send(`/api/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await agent.ended()).toMatchObject({ code: 7 });
    expect(performance.now() - revokedAt).toBeLessThan(5000);
    expect(edge.process.output).not.toContain(token);
  });

  it('drains the edge, which ends with status 0', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    expect((await api.send('/api/v1/drain', { method: 'POST' })).status).toBe(202);
    expect(await edge.process.ended()).toEqual({ code: 0, signal: null });
  });

  it('O2 has metrics without any configuration, for scrapers with the admin token', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    expect(await (await api.send('/metrics')).text()).toContain('\ngiraffe_requests_total 0\n');
  });
});
