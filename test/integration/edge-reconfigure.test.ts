/** Bounds, trusted proxies and the strategy of a running edge change without a loss. */
import { describe, expect, it } from 'vitest';
import { defaultEdgeLimits } from '../../src/edge/edge-options.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

describe('Edge.reconfigure()', () => {
  it('lets a request that waits for a place go when the bound on streams is raised', async () => {
    await using server = await startTestEdge({ maxStreams: 1 });
    const ends: (() => void)[] = [];
    await using origin = await startHttpOrigin((_request, response) => {
      ends.push(() => response.end('done'));
    });
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    const answers = [client.get('/1'), client.get('/2')];
    await expect.poll(() => ends.length).toBe(1);
    server.edge.reconfigure({ limits: { ...defaultEdgeLimits, maxStreams: 2 } });
    await expect.poll(() => ends.length).toBe(2);
    for (const end of ends) end();
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['done', 'done']);
  });

  it('believes other proxies on connections that come later, and keeps open ones as they are', async () => {
    await using server = await startTestEdge();
    await using origin = await startHttpOrigin((request, response) => response.end(request.headers['x-forwarded-for']));
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    using before = new HttpClient(server.edge.ports.proxy, 'app.test');
    const headers = { 'X-Forwarded-For': '192.0.2.7' };
    expect((await before.get('/', { headers })).text).not.toContain('192.0.2.7');
    server.edge.reconfigure({ trustedProxies: ['127.0.0.1'] });
    using after = new HttpClient(server.edge.ports.proxy, 'app.test');
    expect((await after.get('/', { headers })).text).toContain('192.0.2.7');
    expect((await before.get('/', { headers })).text).not.toContain('192.0.2.7');
  });

  it('changes nothing when a trusted proxy is no address', async () => {
    await using server = await startTestEdge({ maxHeadBytes: 4096 });
    const limits = { ...defaultEdgeLimits, maxHeadBytes: 1024 };
    expect(() => server.edge.reconfigure({ limits, trustedProxies: ['proxy.example.com'] })).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_CONFIG' }),
    );
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    expect((await client.get('/', { headers: { 'X-Big': 'x'.repeat(2000) } })).status).toBe(404);
  });

  it('leaves a response that is under way alone when its bounds shrink', async () => {
    await using server = await startTestEdge();
    let end = (): void => {};
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('first');
      end = () => void response.end(' second');
    });
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    const { outgoing, answer } = client.open('GET', '/');
    outgoing.end();
    const response = await answer;
    server.edge.reconfigure({
      limits: { ...defaultEdgeLimits, maxConnections: 1, requestTimeoutMs: 1, maxStreams: 1 },
    });
    end();
    expect((await readAnswer(response)).text).toBe('first second');
  });
});
