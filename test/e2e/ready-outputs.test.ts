/** When a tunnel is ready, and what it leaves for scripts then. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listRunningAgents } from '../../src/state/running-agents.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type ChildProgram, GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';

let home: GiraffeHome;
let edge: RunningEdge;
let origin: Origin;

beforeAll(async () => {
  home = new GiraffeHome();
  origin = await startHttpOrigin((_request, response) => response.end('ok'));
  edge = await home.startEdge();
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

function tunnel(port: number, flags: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProgram {
  const server = `localhost:${edge.ports.grpc}`;
  return home.run(['tunnel', String(port), '--server', server, '--json', '--no-inspect', ...flags], { env });
}

const inHome = (name: string) => join(home.path, name);

describe('the files of a tunnel that is ready', () => {
  it('O6 --url-file, --dotenv-file and --github are written before `ready` is told', async () => {
    const [urlFile, dotenvFile, outputs] = [inHome('url'), inHome('.env'), inHome('outputs')];
    writeFileSync(urlFile, 'http://stale.example\n');
    writeFileSync(dotenvFile, 'A=1\nexport GIRAFFE_URL=old\nB=2');
    writeFileSync(outputs, 'before=1\n');
    const flags = ['--url-file', urlFile, '--dotenv-file', dotenvFile, '--github', '--domain', 'files.localhost'];
    const agent = tunnel(origin.port, flags, { GITHUB_OUTPUT: outputs });
    const { url } = await agent.event('ready');
    expect(readFileSync(urlFile, 'utf8')).toBe(`${url}\n`);
    expect(readFileSync(dotenvFile, 'utf8')).toBe(
      `A=1\nexport GIRAFFE_URL=${url}\nB=2\nGIRAFFE_DOMAIN=files.localhost\n`,
    );
    expect(readFileSync(outputs, 'utf8')).toBe(`before=1\nurl=${url}\ndomain=files.localhost\n`);
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('O6 a tunnel of the configuration file has a variable of its own', async () => {
    const { grpc, proxy } = edge.ports;
    writeFileSync(
      inHome('two.yaml'),
      `agent: { server: 'localhost:${grpc}' }\ntunnels: { web-app: { target: 1, domain: w.localhost }, api: { target: 1, domain: a.localhost } }`,
    );
    const command = ['--', 'sh', '-c', 'echo $GIRAFFE_URL $GIRAFFE_URL_WEB_APP $GIRAFFE_URL_API'];
    const program = home.run(['tunnel', '--config', 'two.yaml', '--no-inspect', ...command]);
    expect(await program.ended()).toMatchObject({ code: 0 });
    const [web, api] = [`http://w.localhost:${proxy}`, `http://a.localhost:${proxy}`];
    expect(program.stdout).toBe(`${web} ${web} ${api}\n`);
  });

  it('O6 a URL of before is removed at the start, and one that cannot be written is an error', async () => {
    const stale = inHome('stale');
    writeFileSync(stale, 'http://stale.example\n');
    const down = home.run(['tunnel', '1', '--server', 'localhost:9', '--timeout', '200ms', '--url-file', stale]);
    expect(await down.ended()).toMatchObject({ code: 6 });
    expect(existsSync(stale)).toBe(false);
    const nowhere = tunnel(origin.port, ['--url-file', '/nowhere/url']);
    expect(await nowhere.ended()).toMatchObject({ code: 3 });
    expect(nowhere.events.at(-1)?.['message']).toBe('--url-file: /nowhere/url cannot be written (ENOENT)');
    const elsewhere = tunnel(origin.port, ['--github'], { GITHUB_OUTPUT: undefined });
    expect(await elsewhere.ended()).toMatchObject({ code: 2 });
  });
});

describe('--wait-ready', () => {
  it('O6 origin waits for the service, and reachable only for the way to it', async () => {
    const port = await freePort();
    const reachable = tunnel(port, ['--wait-ready', 'reachable', '--domain', 'reachable.localhost']);
    const waiting = tunnel(port, ['--wait-ready', 'origin', '--domain', 'origin.localhost']);
    await reachable.event('ready');
    // Its record is there once the edge has admitted it.
    await eventually('both records', async () => (await listRunningAgents(home.stateDir)).length === 2);
    expect(waiting.events.map(({ event }) => event)).not.toContain('ready');
    await using _service = await startHttpOrigin((_request, response) => response.end('late'), port);
    await waiting.event('ready');
    expect(waiting.events.find(({ event }) => event === 'request')).toMatchObject({ path: '/', status: 200 });
    await Promise.all([reachable.end('SIGTERM'), waiting.end('SIGTERM')]);
  });

  it('O6 says what is missing when --timeout is over, with 6', async () => {
    const agent = tunnel(9, ['--wait-ready', 'origin', '--timeout', '4s']);
    expect(await agent.ended()).toMatchObject({ code: 6 });
    expect(agent.events.at(-1)).toMatchObject({
      event: 'error',
      code: 'GIR_ERR_NOT_PUBLIC',
      message: 'the tunnel serves, but is not ready within 4 s: http://localhost:9: ECONNREFUSED',
    });
    expect(agent.events.map(({ event }) => event)).not.toContain('ready');
  });
});

describe('--max-lifetime and --qr', () => {
  it('O6 the tunnel ends by itself, says so, and exits with 0', async () => {
    const agent = tunnel(origin.port, ['--max-lifetime', '300ms', '--qr']);
    expect(await agent.ended()).toEqual({ code: 0, signal: null });
    const events = agent.events.map(({ event }) => event);
    expect(events.slice(events.indexOf('lifetime-over'))).toEqual(['lifetime-over', 'draining', 'closed']);
    expect(agent.stderr).toMatch(/█.*▄/);
    expect(agent.stderr).toContain(String((await agent.event('ready'))['url']));
  });
});
