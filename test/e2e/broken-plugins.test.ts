/** A plugin that is broken is named, with its cause, and neither edge nor agent starts with it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyPorts, ChildProgram } from '../support/giraffe-process.ts';
import { root } from '../support/repository.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'giraffe-broken-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

const fixture = (name: string): string => join(root, 'test', 'fixtures', 'plugins', name);
const ok = fixture('ok');

describe('O7 an edge with a plugin', () => {
  it.each<[string, object, number, RegExp]>([
    ['that throws', { plugins: [fixture('throws')] }, 4, /giraffe-plugin-throws: the licence server is away/],
    [
      'without a function',
      { plugins: [fixture('no-function')] },
      4,
      /giraffe-plugin-no-function: .*exports no function/,
    ],
    [
      'of another version',
      { plugins: [fixture('wrong-api-version')] },
      4,
      /giraffe-plugin-wrong-api-version: .*version 99/,
    ],
    [
      'that repeats a name',
      { plugins: [ok, fixture('duplicate-name')] },
      4,
      /giraffe-plugin-duplicate-name and giraffe-plugin-ok/,
    ],
    [
      'that is not installed',
      { plugins: ['giraffe-plugin-nowhere'] },
      4,
      /giraffe-plugin-nowhere: it is not installed/,
    ],
    [
      'with bad options',
      { plugins: [ok], routing: { strategy: 'first', options: { offset: -1 } } },
      3,
      /routing strategy first refuses its options: offset/,
    ],
  ])('O7 %s does not start, and names plugin and cause', async (_, config, status, cause) => {
    const file = join(home, 'giraffe.config.json');
    await writeFile(file, JSON.stringify(config));
    const env = { ...process.env, HOME: home, XDG_DATA_HOME: join(home, 'data'), XDG_STATE_HOME: join(home, 'state') };
    const args = [join(root, 'bin', 'run.js'), 'server', 'start', '--config', file, ...anyPorts];
    await using program = new ChildProgram(process.execPath, args, env, home);
    expect(await program.ended()).toEqual({ code: status, signal: null });
    expect(program.stderr).toMatch(cause);
    expect(program.stderr).not.toContain('    at ');
    expect(program.stdout).toBe('');
  });
});

it('O7 an agent whose configuration file names a broken plugin does not start either', async () => {
  const file = join(home, 'agent.config.json');
  await writeFile(file, JSON.stringify({ plugins: [fixture('throws')] }));
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: join(home, 'data'), GIRAFFE_TOKEN: 'any' };
  const args = [join(root, 'bin', 'run.js'), 'tunnel', '3000', '--server', 'localhost:1', '--config', file];
  await using program = new ChildProgram(process.execPath, args, env, home);
  expect(await program.ended()).toEqual({ code: 4, signal: null });
  expect(program.stderr).toMatch(/giraffe-plugin-throws: the licence server is away/);
});
