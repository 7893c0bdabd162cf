/** The agent's local API as its user meets it: where it is, and what takes its port. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';

describe('the local API of the agent', () => {
  it('O6 tells its URL in the ready event, and the public URL to scripts', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, 9, ['--domain', 'app.localhost', '--inspect-port', '0']);
    const { inspectUrl, url } = await agent.event('ready');
    const answer = await fetch(`${inspectUrl}/api/tunnels`);
    expect(await answer.json()).toMatchObject({
      tunnels: [{ name: 'app.localhost', public_url: url, config: { addr: 'http://localhost:9' } }],
    });
    expect((await fetch(`${inspectUrl}/readyz`)).status).toBe(200);
  });

  it('O6 with --no-inspect tells figures, and has no inspector and nothing of any request', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('x'));
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, origin.port, [
      '--domain',
      'app.localhost',
      '--no-inspect',
      '--inspect-port=0',
    ]);
    const ready = await agent.event('ready');
    expect(ready).not.toHaveProperty('inspectUrl');
    using client = new HttpClient(edge.ports.proxy, 'app.localhost');
    expect((await client.get('/secret-path')).status).toBe(200);
    for (const path of ['/', '/api/v1/requests', '/api/requests/http', '/api/v1/requests.har']) {
      expect((await fetch(`${ready['apiUrl']}${path}`)).status).toBe(404);
    }
    expect(await (await fetch(`${ready['apiUrl']}/`)).text()).toContain('the request inspector is off (--no-inspect)');
    const stats = await (await fetch(`${ready['apiUrl']}/api/v1/stats`)).text();
    expect(JSON.parse(stats)).toMatchObject({ role: 'agent', tunnels: [{ domain: 'app.localhost', requests: 1 }] });
    expect(stats).not.toContain('secret-path');
  });

  it('O6 a port that was asked for and is taken ends the agent with status 5', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    await using home = new GiraffeHome();
    const agent = home.run(['tunnel', '3000', '--token', 'x'], { env: { GIRAFFE_INSPECT_PORT: String(port) } });
    expect(await agent.ended()).toMatchObject({ code: 5 });
    expect(agent.stderr).toContain('--inspect-port or GIRAFFE_INSPECT_PORT picks another port');
    await new Promise((resolve) => holder.close(resolve));
  });
});
