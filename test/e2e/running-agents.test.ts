/** What a running agent tells other programs of the same user. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listRunningAgents } from '../../src/state/running-agents.ts';
import { eventually } from '../support/eventually.ts';
import { GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';

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
        apiUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        inspectUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
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

describe('giraffe tunnel list and stop', () => {
  it('O6 show what runs, and stop it by domain, by process id, and all', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const names = ['one', 'two', 'three'];
    const agents = await Promise.all(names.map((name) => home.startAgent(edge, 9, ['--domain', `${name}.localhost`])));
    const [one, two, three] = agents;
    await eventually('all records', async () => (await listRunningAgents(home.stateDir)).length === 3);

    const table = home.run(['tunnel', 'list']);
    expect(await table.ended()).toMatchObject({ code: 0 });
    expect(table.stderr).toBe('');
    const url = `http://one.localhost:${edge.ports.proxy}`;
    expect(table.stdout).toMatch(/^NAME {2}URL +TARGET +MODE +PID +AGE\n/);
    expect(table.stdout).toMatch(new RegExp(`^- {5}${url} +http://localhost:9 +hybrid +${one?.pid} +\\d+s$`, 'm'));
    const list = home.run(['tunnel', 'list', '--json']);
    await list.ended();
    expect(list.events.map(({ event, domain, pid }) => [event, domain, pid]).sort()).toEqual(
      names.map((name, index) => ['tunnel', `${name}.localhost`, agents[index]?.pid]).sort(),
    );

    const guess = home.run(['tunnel', 'stop']);
    expect(await guess.ended()).toMatchObject({ code: 2 });
    expect(guess.stderr).toContain(`one.localhost by process ${one?.pid}`);

    const byDomain = home.run(['tunnel', 'stop', 'one.localhost']);
    expect(await byDomain.ended()).toMatchObject({ code: 0 });
    expect(byDomain.stderr).toBe(`Stopped agent ${one?.pid}: ${url}\n`);
    expect(await one?.ended()).toEqual({ code: 0, signal: null });

    const byPid = home.run(['tunnel', 'stop', String(two?.pid), '--json']);
    await byPid.ended();
    expect(byPid.events).toMatchObject([{ event: 'stopped', pid: two?.pid, forced: false }]);

    const unknown = home.run(['tunnel', 'stop', 'one.localhost']);
    expect(await unknown.ended()).toMatchObject({ code: 1 });
    expect(unknown.stderr).toMatch(/no running tunnel is called one\.localhost; running: three\.localhost by process/);

    const all = home.run(['tunnel', 'stop', '--all']);
    expect(await all.ended()).toMatchObject({ code: 0 });
    expect(await three?.ended()).toEqual({ code: 0, signal: null });
    const none = home.run(['tunnel', 'list']);
    expect(await none.ended()).toMatchObject({ code: 0 });
    expect([none.stdout, none.stderr]).toEqual(['', expect.stringContaining('No agent is running')]);
  });

  it('O6 stop waits for what is in flight, and cuts it off when --timeout is over', async () => {
    await using home = new GiraffeHome();
    let requests = 0;
    await using origin = await startHttpOrigin(() => {
      requests += 1;
    });
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, origin.port, ['--domain', 'app.localhost']);
    using client = new HttpClient(edge.ports.proxy, 'app.localhost');
    const answer = client.get('/').catch(() => undefined);
    await eventually('the request at the origin', () => requests === 1);
    const stop = home.run(['tunnel', 'stop', '--timeout', '300ms', '--json']);
    await agent.event('draining');
    expect(await stop.ended()).toMatchObject({ code: 0 });
    expect(stop.events).toMatchObject([{ event: 'stopped', pid: agent.pid, forced: true }]);
    expect(await agent.ended()).toEqual({ code: 143, signal: null });
    await answer;
  });

  it('O6 list and stop are no names for a tunnel, and are commands only before the flags', async () => {
    await using home = new GiraffeHome();
    const late = home.run(['tunnel', '--state-dir', home.stateDir, 'list']);
    expect(await late.ended()).toMatchObject({ code: 2 });
    expect(late.stderr).toContain('list is a command, and comes before the flags');
    writeFileSync(join(home.path, 'giraffe.config.yaml'), 'tunnels: { stop: { target: 1 } }');
    const refused = home.run(['tunnel']);
    expect(await refused.ended()).toMatchObject({ code: 3 });
    expect(refused.stderr).toMatch(/tunnels\.stop.*a name other than list and stop, which are commands/);
  });
});
