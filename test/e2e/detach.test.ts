/** `giraffe tunnel --detach`: an agent that stays, and what is told of one that cannot. */
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endProcess } from '../../src/host/agent/running/agent-process.ts';
import { processFate, processIdentity } from '../../src/state/process-identity.ts';
import { listRunningAgents } from '../../src/state/running-agents.ts';
import { type ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';

const token = `grf_${'A'.repeat(43)}`;
let home: GiraffeHome;

beforeEach(() => {
  home = new GiraffeHome();
});

afterEach(async () => {
  // These agents are in no process group of ours.
  for (const { pid } of await listRunningAgents(home.stateDir)) await endProcess(pid, 0);
  await home[Symbol.asyncDispose]();
});

function detach(server: string, flags: readonly string[], target = '1', stdin?: string): ChildProgram {
  const args = ['tunnel', target, '--server', server, '--no-inspect', '--detach', ...flags];
  return home.run(args, stdin === undefined ? {} : { stdin });
}

describe('--detach', () => {
  it('O6 returns with the URL once it is ready, and leaves an agent that `stop` ends', async () => {
    await using origin = await startHttpOrigin((_request, response) => response.end('from afar'));
    const { ports } = await home.startEdge();
    const starter = detach(`localhost:${ports.grpc}`, ['--domain', 'app.localhost'], String(origin.port));
    expect(await starter.ended()).toEqual({ code: 0, signal: null });
    expect(starter.stdout).toBe(`http://app.localhost:${ports.proxy}\n`);
    expect(starter.stderr).toMatch(/^HYBRID MODE ACTIVE/);
    using client = new HttpClient(ports.proxy, 'app.localhost');
    expect((await client.get('/')).text).toBe('from afar');

    const [agent] = await listRunningAgents(home.stateDir);
    const logFile = join(home.stateDir, 'agents', 'app.localhost.log');
    expect(agent?.logFile).toBe(logFile);
    expect(statSync(logFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(logFile, 'utf8')).toContain('WebSocket tunnel established');
    expect(starter.stderr).toContain(`process ${agent?.pid}; it logs to ${logFile}.`);

    const identity = await processIdentity(agent?.pid);
    const stop = home.run(['tunnel', 'stop', 'app.localhost']);
    expect(await stop.ended()).toEqual({ code: 0, signal: null });
    expect(await processFate(identity)).toBe('gone');
  });

  it.runIf(process.platform === 'linux')(
    'O6 is in a session of its own, and has no token on its command line',
    async () => {
      const { ports } = await home.startEdge();
      const secret = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
      const server = `localhost:${ports.grpc}`;
      const starters = [
        detach(server, ['--token', secret, '--domain', 'flag.localhost', '--json']),
        detach(server, ['--token', '-', '--domain', 'stdin.localhost', '--json'], '1', secret),
      ];
      for (const starter of starters) {
        expect(await starter.ended()).toEqual({ code: 0, signal: null });
        const [ready, ...rest] = starter.events;
        expect(rest).toEqual([]);
        expect(ready).toMatchObject({ v: 1, event: 'ready', mode: 'hybrid', logFile: expect.any(String) });
        const pid = ready?.['pid'] as number;
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        expect(words).toContain('--token=-');
        expect(words.join(' ')).not.toContain(secret);
        // proc(5): behind the name come state, parent, process group, session.
        const [, , group, session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        expect([group, session]).toEqual([String(pid), String(pid)]);
      }
    },
  );

  it('O6 fails with the error and the status of the agent, and leaves nothing running', async () => {
    const { ports } = await home.startEdge();
    const refused = home.run(['tunnel', '1', '--server', `localhost:${ports.grpc}`, '--detach', '--json'], {
      env: { GIRAFFE_TOKEN: token },
    });
    const down = detach('localhost:9', ['--tunnel-port', '9', '--timeout', '3s']);
    const wrong = detach('localhost:9', ['--url-file', '/nowhere/url', '--token-file', '/nowhere']);
    const command = detach('localhost:9', ['--', 'true']);
    expect(await refused.ended()).toMatchObject({ code: 7 });
    expect(refused.events).toMatchObject([{ event: 'error', code: 'GIR_ERR_CREDENTIALS_REFUSED' }]);
    expect(await down.ended()).toMatchObject({ code: 6 });
    expect(down.stderr).toMatch(
      /^Error: no tunnel to localhost:9 within 3 s: .*ECONNREFUSED.*\nNext: {2}No edge runs on this machine/m,
    );
    expect(await wrong.ended()).toMatchObject({ code: 3 });
    expect(wrong.stderr).toMatch(/token file \/nowhere cannot be read/);
    expect(await command.ended()).toMatchObject({ code: 125 });
    expect(command.stderr).toMatch(/nobody would wait for the command/);
    expect(await listRunningAgents(home.stateDir)).toEqual([]);
  });

  it('S7 does not log through a link that somebody has put in the place of its log file', async () => {
    const victim = join(home.path, 'victim');
    mkdirSync(join(home.stateDir, 'agents'), { recursive: true });
    symlinkSync(victim, join(home.stateDir, 'agents', '1.log'));
    const agent = detach('localhost:9', ['--tunnel-port', '9', '--timeout', '3s', '--token', token]);
    expect(await agent.ended()).toMatchObject({ code: 3 });
    expect(agent.stderr.replace(/\s+/g, ' ')).toMatch(/A symbolic link stands in its place.*\(GIR_ERR_STATE\)/);
    expect(existsSync(victim)).toBe(false);
  });

  it('O6 a signal before it is ready ends the agent, too', async () => {
    const log = join(home.stateDir, 'agents', 'early.localhost.log');
    const env = { GIRAFFE_TOKEN: token };
    const starter = home.run(['tunnel', '1', '--server', 'localhost:9', '--detach', '--domain', 'early.localhost'], {
      env,
    });
    await starter.until('an attempt', () => existsSync(log) && readFileSync(log, 'utf8').includes('next attempt'));
    starter.child.kill('SIGTERM');
    expect(await starter.ended()).toEqual({ code: 143, signal: null });
  });
});
