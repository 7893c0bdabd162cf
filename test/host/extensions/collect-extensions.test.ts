import { Config, Plugin } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { collectExtensions, type HookRunner } from '../../../src/host/extensions/collect-extensions.ts';
import { root } from '../../support/repository.ts';
import { testWorkshop } from '../../support/workshop.ts';

const workshop = testWorkshop();
const folder = `${root}test/fixtures/plugins`;

/** Returns an oclif configuration with real plugins, loaded the way installed ones are. */
async function configWith(...names: readonly string[]): Promise<HookRunner> {
  const config = await Config.load({ root: `${folder}/bare`, userPlugins: false, devPlugins: false });
  for (const name of names) {
    const plugin = new Plugin({ name: `giraffe-plugin-${name}`, root: `${folder}/${name}`, type: 'user' });
    await plugin.load();
    config.plugins.set(plugin.name, plugin);
  }
  return config as unknown as HookRunner;
}

async function collectionOf(...names: readonly string[]) {
  return collectExtensions(await configWith(...names));
}

function loadError(message: RegExp): unknown {
  return expect.objectContaining({ code: 'GIR_ERR_EXTENSION_LOAD', message: expect.stringMatching(message) });
}

describe('collectExtensions()', () => {
  it('collects what plugins offer', async () => {
    const registry = await collectionOf('ok');
    expect(registry.list().map(({ extension, plugin }) => [plugin, extension.kind, extension.name])).toEqual([
      ['giraffe-plugin-ok', 'routing-strategy', 'first'],
    ]);
  });

  it('collects nothing when no plugin has extensions', async () => {
    expect((await collectionOf()).list()).toEqual([]);
  });

  it('names a plugin whose hook throws', async () => {
    await expect(collectionOf('ok', 'throws')).rejects.toThrow(
      loadError(/^plugin giraffe-plugin-throws: the licence server is away$/) as Error,
    );
  });

  it('names a plugin whose hook file is missing', async () => {
    await expect(collectionOf('ok', 'missing-file')).rejects.toThrow(
      loadError(/^plugin giraffe-plugin-missing-file: .*extensions/) as Error,
    );
  });

  it('names a plugin that oclif passes over because its file exports no function', async () => {
    await expect(collectionOf('ok', 'no-function')).rejects.toThrow(
      loadError(/^plugin giraffe-plugin-no-function: .*exports no function$/) as Error,
    );
  });

  it('names a plugin made for another version of the contract', async () => {
    await expect(collectionOf('ok', 'wrong-api-version')).rejects.toThrow(
      loadError(/^plugin giraffe-plugin-wrong-api-version: extension later is made for version 99 /) as Error,
    );
  });

  it('names both plugins that offer the same name', async () => {
    await expect(collectionOf('ok', 'duplicate-name')).rejects.toThrow(
      loadError(/routing strategy first is offered by giraffe-plugin-duplicate-name and giraffe-plugin-ok$/) as Error,
    );
  });

  it('names every plugin that failed, in the order of their names', async () => {
    await expect(collectionOf('throws', 'no-function')).rejects.toThrow(
      loadError(/giraffe-plugin-no-function: .*; plugin giraffe-plugin-throws: /) as Error,
    );
  });

  it.each([
    ['not a list', { name: 'first' }, 'does not return a list'],
    ['nothing', undefined, 'does not return a list'],
    ['a number', [1], 'extension number 1 is not an object'],
    ['another kind', [{ apiVersion: 1, kind: '__proto__', name: 'x' }], 'extension x is of the kind __proto__'],
    ['no name', [{ apiVersion: 1, kind: 'routing-strategy', name: 'Not Kebab' }], 'has no kebab-case name'],
    ['no summary', [{ apiVersion: 1, kind: 'routing-strategy', name: 'x' }], 'has no summary'],
    [
      'no schema',
      [{ apiVersion: 1, kind: 'routing-strategy', name: 'x', summary: '', options: {} }],
      'has no zod schema',
    ],
  ])('refuses an answer that is %s', async (_, result, fault) => {
    const plugin = { name: 'giraffe-plugin-odd', root: '/nowhere', hooks: {} };
    const config: HookRunner = {
      root: '/',
      plugins: new Map(),
      runHook: async () => ({ successes: [{ plugin, result }], failures: [] }),
    };
    await expect(collectExtensions(config)).rejects.toThrow(fault);
  });

  it('has no extensions when giraffe itself was built without the built-in ones', async () => {
    const hooks = { 'giraffe:extensions': [{ target: './dist/plugins/index.js' }] };
    const plugin = { name: 'giraffe-tunnel', root: `${folder}/bare`, hooks };
    const config: HookRunner = {
      root: plugin.root,
      plugins: new Map([[plugin.name, plugin]]),
      runHook: async () => ({ successes: [], failures: [{ plugin, error: new Error('MODULE_NOT_FOUND') }] }),
    };
    const registry = await collectExtensions(config);
    await expect(registry.create('routing-strategy', 'hybrid', {}, workshop)).rejects.toThrow(
      'no routing strategy named hybrid; none is installed',
    );
  });
});
