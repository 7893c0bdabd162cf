/** The agent's local API as its user meets it: where it is, and what takes its port. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';

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

  it('O6 is not there with --no-inspect', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, 9, ['--no-inspect']);
    expect(await agent.event('ready')).not.toHaveProperty('inspectUrl');
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
