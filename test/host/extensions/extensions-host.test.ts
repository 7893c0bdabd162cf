import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config } from '@oclif/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainRoute, listExtensions } from '../../../src/host/extensions/extensions-host.ts';
import type { PluginHost } from '../../../src/host/extensions/plugin-loader.ts';
import type { HostContext } from '../../../src/host/oclif/host-context.ts';
import { root } from '../../support/repository.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'giraffe-extensions-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Returns a context with the example plugin and a configuration that picks its strategy with these options. */
async function contextWith(routing: object, json = false): Promise<HostContext & { readonly lines: string[] }> {
  const file = join(folder, 'giraffe.config.json');
  await writeFile(file, JSON.stringify({ plugins: [`${root}examples/plugin-sample`], routing }));
  const bare = `${root}test/fixtures/plugins/bare`;
  const plugins = await Config.load({ root: bare, userPlugins: false, devPlugins: false });
  const lines: string[] = [];
  return {
    input: { flags: { config: file }, environment: { HOME: folder } },
    plugins: plugins as unknown as PluginHost,
    output: { out: (line) => lines.push(line), err: () => {}, isInteractive: false },
    json,
    lines,
  };
}

const request = { url: 'http://app.test/api/x', method: 'GET', headers: [], client: '127.0.0.1' };

describe('listExtensions()', () => {
  it('O7 names kind, plugin and version of each extension, and which the configuration picks', async () => {
    const context = await contextWith({ strategy: 'office-hours' }, true);
    expect(await listExtensions(context)).toBe(0);
    const { extensions } = JSON.parse(context.lines[0] ?? '') as { extensions: Record<string, unknown>[] };
    expect(
      extensions.map(({ kind, name, plugin, version, selected }) => [kind, name, plugin, version, selected]),
    ).toEqual([
      ['routing-strategy', 'office-hours', 'giraffe-plugin-sample', '1.0.0', true],
      ['auth-provider', 'shared-secret', 'giraffe-plugin-sample', '1.0.0', false],
      ['metrics-exporter', 'line-count', 'giraffe-plugin-sample', '1.0.0', false],
    ]);
  });

  it('marks what is picked for people', async () => {
    const context = await contextWith({ strategy: 'office-hours' });
    await listExtensions(context);
    expect(context.lines.join('\n')).toMatch(
      /^Routing strategies \(routing\.strategy\):\n\* office-hours .*\n.*\(giraffe-plugin-sample 1\.0\.0\)\nAuth providers .*\n {2}shared-secret /,
    );
    for (const line of context.lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('explainRoute()', () => {
  it('tells what the configured strategy says', async () => {
    const context = await contextWith({ strategy: 'office-hours', options: { from: 0, to: 24 } });
    expect(await explainRoute(context, request)).toBe(0);
    expect(context.lines).toEqual(["office-hours: service is from 0 to 24 o'clock UTC, which is now"]);
  });

  it.each([
    ['no URL', { ...request, url: 'app.test' }],
    ['a URL of another kind', { ...request, url: 'file:///etc/passwd' }],
    ['no method', { ...request, method: 'GET /' }],
    ['no field', { ...request, headers: ['Accept'] }],
    ['no address', { ...request, client: 'laptop' }],
  ])('refuses what is %s', async (_, wanted) => {
    const context = await contextWith({ strategy: 'office-hours' });
    await expect(explainRoute(context, wanted)).rejects.toMatchObject({ code: 'GIR_ERR_USAGE' });
  });

  it('refuses options that the strategy does not take', async () => {
    const context = await contextWith({ strategy: 'office-hours', options: { from: 25 } });
    await expect(explainRoute(context, request)).rejects.toMatchObject({ code: 'GIR_ERR_CONFIG' });
  });
});
