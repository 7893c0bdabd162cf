/** Acceptance O7: a third-party plugin in a package of its own is linked, listed and used. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/giraffe-process.ts';
import { root } from '../support/repository.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'giraffe-plugin-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Runs giraffe with folders of its own, so that the plugin is nobody else's. */
async function giraffe(...args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: join(home, 'data'), XDG_CONFIG_HOME: join(home, 'config') };
  await using program = new ChildProgram(process.execPath, [join(root, 'bin', 'run.js'), ...args], env, home);
  const { code } = await program.ended();
  return { code, text: program.output };
}

describe('O7 a plugin of somebody else', () => {
  it('O7 is linked, adds one extension of each kind, and its strategy is used', async () => {
    const linked = await giraffe('plugins', 'link', '--no-install', join(root, 'examples', 'plugin-sample'));
    expect(linked).toMatchObject({ code: 0 });
    const { text } = await giraffe('extensions', '--json');
    const line = text.split('\n').find((one) => one.startsWith('{')) ?? '{}';
    const { extensions = [] } = JSON.parse(line) as { extensions?: { plugin: string; name: string }[] };
    const own = extensions.filter(({ plugin }) => plugin === 'giraffe-plugin-sample').map(({ name }) => name);
    expect(own).toEqual(['office-hours', 'shared-secret', 'line-count']);

    const file = join(home, 'giraffe.config.yaml');
    await writeFile(file, 'routing: { strategy: office-hours, options: { from: 0, to: 24 } }\n');
    const explained = await giraffe('explain', 'route', 'http://app.test/', '--config', file);
    expect(explained).toMatchObject({ code: 0, text: expect.stringContaining("from 0 to 24 o'clock UTC") });
  });
});
