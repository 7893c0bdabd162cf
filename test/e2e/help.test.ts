/** Help and the plugin commands: they work, and load nothing that they do not need. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flagGroups } from '../../src/host/oclif/flag-groups.ts';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { readText, root } from '../support/repository.ts';

const { commands } = JSON.parse(readText('oclif.manifest.json')) as {
  commands: Record<string, { flags: Record<string, unknown>; hidden?: boolean }>;
};
const shown = Object.keys(commands).filter((id) => commands[id]?.hidden !== true);

/** Returns the scripts that a run of Node with NODE_V8_COVERAGE has loaded. */
function loadedScripts(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
}

describe('--help', () => {
  it.each(Object.entries(commands))('O6 of %s names every flag and fits 80 columns', async (id, { flags }) => {
    await using home = new GiraffeHome();
    const help = home.run([...id.split(':'), '--help']);
    expect(await help.ended()).toEqual({ code: 0, signal: null });
    for (const flag of Object.keys(flags)) expect(help.stdout).toContain(`--${flag}`);
    for (const line of help.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(help.stderr).toBe('');
  });

  it.each([
    [['-h'], ['--help']],
    [
      ['tunnel', '-h'],
      ['tunnel', '--help'],
    ],
    [['-v'], ['--version']],
    [['version'], ['--version']],
  ])('O6 is also there by the short names that people try: %j', async (short, long) => {
    await using home = new GiraffeHome();
    const [one, other] = [home.run(short), home.run(long)];
    expect([await one.ended(), await other.ended()]).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect(one.stdout).toBe(other.stdout);
  });

  it('O6 of the program names every topic and command and fits 80 columns', async () => {
    await using home = new GiraffeHome();
    const help = home.run(['--help']);
    expect(await help.ended()).toEqual({ code: 0, signal: null });
    for (const id of shown) expect(help.stdout).toMatch(new RegExp(`^  ${id.split(':')[0]} `, 'm'));
    for (const line of help.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const list = help.stdout.split('COMMANDS\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
    expect(list.filter((line) => !/^ {2}[a-z ]+ {2}\S/.test(line))).toEqual([]);
    expect(list.filter((line) => line.includes('completion names'))).toEqual([]);
    for (const id of shown) expect(help.stdout).toContain(`\n  ${id.replace(':', ' ')} `);
  });

  it('O6 groups flags that the command has, each once', () => {
    for (const [id, groups] of Object.entries(flagGroups)) {
      const names = Object.values(groups).flat();
      expect(names.filter((name) => !Object.hasOwn(commands[id]?.flags ?? {}, name))).toEqual([]);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it.each([
    ['the program', ['--help']],
    ['server start', ['server', 'start', '--help']],
    ['tunnel', ['tunnel', '--help']],
  ])('O7 of %s imports no extension and nothing heavy', async (_what, args) => {
    await using home = new GiraffeHome();
    const link = home.run(['plugins', 'link', join(root, 'test/fixtures/plugins/throws'), '--no-install']);
    expect(await link.ended()).toMatchObject({ code: 0 });
    const folder = join(home.path, 'coverage');
    mkdirSync(folder);
    const help = home.run(args, { env: { NODE_V8_COVERAGE: folder } });
    expect(await help.ended()).toMatchObject({ code: 0 });
    const scripts = loadedScripts(folder);
    expect(scripts.some((url) => url.includes('@oclif/core'))).toBe(true);
    expect(scripts.filter((url) => /dist\/plugins\/|fixtures\/plugins|grpc-js|listr2|\/pino\//.test(url))).toEqual([]);
  });
});

describe('plugins', () => {
  it('O7 lists what is linked, a broken plugin too', async () => {
    await using home = new GiraffeHome();
    expect((await home.run(['plugins']).ended()).code).toBe(0);
    const link = home.run(['plugins', 'link', join(root, 'test/fixtures/plugins/throws'), '--no-install']);
    await link.ended();
    const list = home.run(['plugins']);
    expect(await list.ended()).toMatchObject({ code: 0 });
    expect(list.stdout).toContain('giraffe-plugin-throws 1.0.0 (link)');
  });

  it('O7 an edge starts with a sound third-party plugin linked', async () => {
    await using home = new GiraffeHome();
    const link = home.run(['plugins', 'link', join(root, 'test/fixtures/plugins/ok'), '--no-install']);
    expect(await link.ended()).toMatchObject({ code: 0 });
    const edge = await home.startEdge();
    expect(await edge.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
