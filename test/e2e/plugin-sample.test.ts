/** Acceptance O7: a third-party plugin in a package of its own is linked, listed, and used by a real edge and a real agent. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { root } from '../support/repository.ts';

const secret = 'sixteen-characters';
const domain = 'app.team.test';

/** Copies the plugin out of the repository, so that it is a package like anybody's; returns its folder. */
function copySample(home: GiraffeHome): string {
  const folder = join(home.path, 'src', 'giraffe-plugin-sample');
  cpSync(join(root, 'examples', 'plugin-sample'), folder, { recursive: true });
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(join(root, 'node_modules', 'zod'), join(folder, 'node_modules', 'zod'));
  return folder;
}

/** Writes a configuration with one extension of each kind of the plugin, and returns its path. */
function writeConfig(home: GiraffeHome, name: string, rest: object = {}): string {
  const path = join(home.path, `${name}.json`);
  const config = {
    routing: { strategy: 'office-hours', options: { from: 0, to: 24 } },
    auth: [{ provider: 'shared-secret', options: { secret, domain: 'team.test' } }],
    metrics: [{ exporter: 'line-count', options: { file: `${name}.txt` } }],
    ...rest,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Runs edge and agent with the plugin's extensions, and shows that they are what decides, serves and counts. */
async function useSample(home: GiraffeHome, rest: object = {}): Promise<void> {
  await using origin = await startHttpOrigin((_request, response) => response.end('at work'));
  const edge = await home.startEdge(['--config', writeConfig(home, 'edge', rest)]);
  const tunnelPort = ['--tunnel-port', String(edge.ports.tunnel)];
  const withFile = ['--config', writeConfig(home, 'agent', rest), ...tunnelPort];

  // The provider decides: its secret opens what is below its domain, and the token of the state folder opens nothing.
  const token = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
  const server = ['--server', `localhost:${edge.ports.grpc}`];
  for (const [refused, wanted] of [
    [token, domain],
    [secret, 'app.other.test'],
  ] as const) {
    const agent = home.run(['tunnel', '1', ...server, '--domain', wanted], { env: { GIRAFFE_TOKEN: refused } });
    expect(await agent.ended(), agent.output).toEqual({ code: 7, signal: null });
  }
  const env = { GIRAFFE_TOKEN: secret };
  const agent = await home.startAgent(edge, origin.port, [...withFile, '--domain', domain], { env });
  using client = new HttpClient(edge.ports.proxy, domain);
  expect((await client.get('/')).text).toBe('at work');
  expect((await client.get('/')).text).toBe('at work');

  // The strategy decides: closed from now on, after a reload.
  const closed = { ...rest, routing: { strategy: 'office-hours', options: { from: 9, to: 9 } } };
  writeConfig(home, 'edge', closed);
  edge.process.kill('SIGHUP');
  await edge.process.prints('"reloaded"');
  const answer = await client.get('/');
  expect([answer.status, answer.text]).toEqual([503, 'Back at 9:00.\n']);

  // The exporter writes once more at the end.
  expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await edge.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
  const counters = (name: string) => readFileSync(join(home.path, `${name}.txt`), 'utf8');
  expect(counters('edge')).toMatch(/^giraffe_requests_total 3$/m);
  expect(counters('edge')).toMatch(/^giraffe_extension_faults_total 0$/m);
  expect(counters('agent')).toMatch(/^giraffe_agent_requests_total 2$/m);
  expect(edge.process.output + agent.output).not.toContain(secret);
}

describe('O7 a plugin of somebody else', () => {
  it('O7 linked: adds one extension of each kind, which are listed and used', async () => {
    await using home = new GiraffeHome();
    const linked = home.run(['plugins', 'link', '--no-install', copySample(home)]);
    expect((await linked.ended()).code, linked.output).toBe(0);
    const list = home.run(['extensions', '--json']);
    expect((await list.ended()).code).toBe(0);
    expect(list.stderr).not.toContain('transpile');
    const { extensions } = JSON.parse(list.stdout) as { extensions: { plugin: string; name: string }[] };
    const own = extensions.filter(({ plugin }) => plugin === 'giraffe-plugin-sample').map(({ name }) => name);
    expect(own).toEqual(['office-hours', 'shared-secret', 'line-count']);

    const explained = home.run(['explain', 'route', 'http://app.test/', '--config', writeConfig(home, 'explain')]);
    expect((await explained.ended()).code).toBe(0);
    expect(explained.stdout).toContain("from 0 to 24 o'clock UTC");
    await useSample(home);
  });

  it("O7 named in the configuration file's plugins: is used without being linked", async () => {
    await using home = new GiraffeHome();
    mkdirSync(join(home.path, 'node_modules'));
    symlinkSync(copySample(home), join(home.path, 'node_modules', 'giraffe-plugin-sample'));
    await useSample(home, { plugins: ['giraffe-plugin-sample'] });
  });

  it('O7 linked and then broken: keeps edge and agent from starting, and is named', async () => {
    await using home = new GiraffeHome();
    const folder = copySample(home);
    const linked = home.run(['plugins', 'link', '--no-install', folder]);
    expect((await linked.ended()).code, linked.output).toBe(0);
    const hours = join(folder, 'lib', 'office-hours.js');
    writeFileSync(hours, `${readFileSync(hours, 'utf8')}\nthrow new Error('no calendar');\n`);
    const file = writeConfig(home, 'edge');
    for (const args of [['server', 'start'], ['tunnel', '1', '--domain', domain], ['extensions']]) {
      const program = home.run([...args, '--config', file], { env: { GIRAFFE_TOKEN: secret } });
      expect(await program.ended(), program.output).toEqual({ code: 4, signal: null });
      expect(program.stderr).toMatch(/plugin giraffe-plugin-sample: no calendar.* \(GIR_ERR_EXTENSION_LOAD\)/);
    }
  });
});
