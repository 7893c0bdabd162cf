/** `giraffe tunnel --wait-ready`: what can never become ready is not waited for. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listRunningAgents } from '../../src/state/running-agents.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type ChildProgram, GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { ManagementApi } from '../support/management-api.ts';

/** Nothing listens there, so that a tunnel to it is never ready; and the time for that is longer than a test has. */
const waiting = ['--wait-ready', 'origin', '--timeout', '10m', '--no-inspect'];
const nextStep = 'Ask the operator; starting the agent again opens the tunnel again unless its token was revoked.';

let home: GiraffeHome;
let edge: RunningEdge;
let api: ManagementApi;
let deadPort: number;

beforeAll(async () => {
  home = new GiraffeHome();
  edge = await home.startEdge();
  api = new ManagementApi(edge.ports.api, home.stateDir);
  deadPort = await freePort();
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
});

/** Runs an agent of two tunnels. */
function pair(name: string, flags: readonly string[]): ChildProgram {
  const tunnels = { a: { target: deadPort, domain: `a-${name}` }, b: { target: deadPort, domain: `b-${name}` } };
  writeFileSync(
    join(home.path, `${name}.json`),
    JSON.stringify({ agent: { server: `localhost:${edge.ports.grpc}` }, tunnels }),
  );
  return home.run(['tunnel', '--config', `${name}.json`, ...waiting, ...flags]);
}

/** Disconnects a tunnel once its agent waits to be ready. */
async function disconnect(domain: string): Promise<void> {
  const isListed = async () =>
    (await listRunningAgents(home.stateDir)).some(({ tunnels }) => tunnels.some((one) => one.domain === domain));
  await eventually('the record of the agent', isListed);
  const answer = await api.send(`/api/v1/tunnels/${domain}`, { method: 'DELETE' });
  expect(await answer.json()).toEqual({ disconnected: 1 });
}

describe('an agent that waits to be ready', () => {
  it('O6 ends when the operator disconnects one of its tunnels, and says so', async () => {
    const agent = pair('pair.test', ['--json']);
    await disconnect('a-pair.test');
    expect(await agent.ended()).toEqual({ code: 1, signal: null });
    expect(agent.events.at(-1)).toMatchObject({
      event: 'error',
      code: 'GIR_ERR_DISCONNECTED',
      message: 'not all tunnels can be ready: the operator of the edge has disconnected a-pair.test',
      fix: nextStep,
    });
    expect(agent.events.map(({ event }) => event)).not.toContain('ready');
  });

  it('O6 ends so with --detach, and stays in no background', async () => {
    const starter = pair('detached.test', ['--detach']);
    await disconnect('a-detached.test');
    expect(await starter.ended()).toEqual({ code: 1, signal: null });
    expect(starter.stdout).toBe('');
    expect(starter.stderr).toContain(
      'not all tunnels can be ready: the operator of the edge has disconnected a-detached',
    );
    expect(starter.stderr).toContain(nextStep);
    expect(await listRunningAgents(home.stateDir)).toEqual([]);
  });

  it('O6 ends so with a command, which is not run', async () => {
    const agent = pair('command.test', ['--', 'echo', 'ran']);
    await disconnect('a-command.test');
    expect(await agent.ended()).toEqual({ code: 125, signal: null });
    expect(agent.stdout).toBe('');
    expect(agent.stderr).toContain('GIR_ERR_DISCONNECTED');
  });

  it('O6 ends when its only tunnel is disconnected, and with 7 when its token is revoked', async () => {
    const run = (domain: string) =>
      home.run([
        ...['tunnel', String(deadPort), '--server', `localhost:${edge.ports.grpc}`],
        ...['--domain', domain, '--json', ...waiting],
      ]);
    const single = run('single.test');
    await disconnect('single.test');
    expect(await single.ended()).toEqual({ code: 1, signal: null });
    expect(single.events.at(-1)).toMatchObject({ event: 'error', code: 'GIR_ERR_DISCONNECTED', fix: nextStep });

    const revoked = run('revoked.test');
    await eventually('its record', async () => (await listRunningAgents(home.stateDir)).length === 1);
    await home.run(['token', 'revoke', 'first']).ended();
    expect(await revoked.ended()).toEqual({ code: 7, signal: null });
    expect(revoked.events.at(-1)).toMatchObject({ event: 'error', code: 'GIR_ERR_CREDENTIALS_REFUSED' });
  });
});
