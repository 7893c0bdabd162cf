/** What a running agent tells other programs of the same user. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listRunningAgents } from '../../src/state/running-agents.ts';
import { GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';

describe('the record of a running agent', () => {
  it('is there while it serves, says what it serves after a reload too, and goes with it', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const file = join(home.path, 'giraffe.config.yaml');
    const server = `localhost:${edge.ports.grpc}`;
    const tunnels = (target: number) =>
      `agent: { server: '${server}' }\ntunnels: { web: { domain: web.localhost, target: ${target} } }`;
    writeFileSync(file, tunnels(1));
    const agent = home.run(['tunnel', '--json']);
    await servesHybrid(agent);
    const recorded = (target: number) => [
      {
        v: 1,
        pid: agent.pid,
        startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        server,
        inspectUrl: undefined,
        logFile: undefined,
        mode: 'hybrid',
        tunnels: [
          {
            name: 'web',
            domain: 'web.localhost',
            url: `http://web.localhost:${edge.ports.proxy}`,
            target: `http://localhost:${target}`,
          },
        ],
      },
    ];
    await expect.poll(() => listRunningAgents(home.stateDir)).toEqual(recorded(1));

    writeFileSync(file, tunnels(2));
    agent.kill('SIGHUP');
    await expect.poll(() => listRunningAgents(home.stateDir), { timeout: 20_000 }).toEqual(recorded(2));

    await edge.process.end('SIGKILL');
    await agent.event('reconnecting');
    await expect.poll(async () => (await listRunningAgents(home.stateDir))[0]?.mode).toBeUndefined();

    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(readdirSync(join(home.stateDir, 'agents'))).toEqual([]);
  });
});
