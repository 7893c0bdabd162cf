import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defineExtension, type Extension } from '../../../src/extension/index.ts';
import { ExtensionRegistry } from '../../../src/host/extensions/extension-registry.ts';
import { testWorkshop } from '../../support/workshop.ts';
import { recordingLogger } from '../../support/world.ts';

const workshop = testWorkshop();

type Create = Extension<'routing-strategy'>['create'];

const first: Create = async () => ({ select: ([candidate]) => ({ candidate }) });

function strategy(name: string, create: Create = first): Extension {
  return defineExtension({
    apiVersion: 1,
    kind: 'routing-strategy',
    name,
    summary: '',
    options: z.strictObject({ path: z.string().startsWith('/').default('/') }),
    create,
  }) as Extension;
}

function registryOf(...extensions: readonly Extension[]): ExtensionRegistry {
  return new ExtensionRegistry(
    extensions.map((extension) => ({ extension, plugin: 'giraffe-plugin-test' })),
    { createMs: 20, endMs: 20 },
  );
}

describe('ExtensionRegistry', () => {
  it('makes an instance with the defaults of its options', async () => {
    let seen: unknown;
    const create: Create = async (options) => {
      seen = options;
      return { select: ([candidate]) => ({ candidate }) };
    };
    await registryOf(strategy('one', create)).create('routing-strategy', 'one', {}, workshop);
    expect(seen).toEqual({ path: '/' });
  });

  it('lists what there is when a name is unknown, the nearest first', async () => {
    const registry = registryOf(strategy('round-robin'), strategy('hybrid'));
    await expect(registry.create('routing-strategy', 'hybird', {}, workshop)).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
      message: 'no routing strategy named hybird; there is hybrid, round-robin',
    });
  });

  it('finds nothing under the names that every object has', async () => {
    await expect(registryOf().create('routing-strategy', 'constructor', {}, workshop)).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
    });
  });

  it('tells all faults of options with their paths', async () => {
    const options = { path: 'api', other: 1 };
    await expect(
      registryOf(strategy('one')).create('routing-strategy', 'one', options, workshop),
    ).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
      message: expect.stringMatching(/path: .*; other is an unknown key; there is path/),
    });
  });

  it('names the plugin when an instance cannot be made', async () => {
    const create: Create = async () => {
      throw new Error('no database');
    };
    await expect(
      registryOf(strategy('one', create)).create('routing-strategy', 'one', {}, workshop),
    ).rejects.toMatchObject({
      code: 'GIR_ERR_EXTENSION_LOAD',
      message: 'plugin giraffe-plugin-test: the routing strategy one could not be made: no database',
    });
  });

  it.each<[string, Create, RegExp]>([
    ['stalls', () => new Promise(() => {}), /could not be made: no answer within 20 ms/],
    ['makes nothing', async () => undefined as never, /does not have select\(\)/],
    ['makes something else', async () => ({ choose: () => undefined }) as never, /does not have select\(\)/],
  ])('names the plugin of an extension that %s', async (_, create, message) => {
    const registry = registryOf(strategy('one', create));
    await expect(registry.create('routing-strategy', 'one', {}, testWorkshop())).rejects.toMatchObject({
      code: 'GIR_ERR_EXTENSION_LOAD',
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, () => Promise<void>]>([
    ['throws', async () => Promise.reject(new Error('no database'))],
    ['stalls', () => new Promise(() => {})],
  ])('ends an instance whose end %s, logs that and counts it', async (_, end) => {
    const create: Create = async () => ({ select: ([candidate]) => ({ candidate }), [Symbol.asyncDispose]: end });
    const { logger, lines } = recordingLogger();
    const own = testWorkshop({ logger });
    const made = await registryOf(strategy('one', create)).create('routing-strategy', 'one', {}, own);
    await made.end();
    expect(lines).toMatchObject([{ level: 'warn', extension: 'routing-strategy/one', err: expect.any(Error) }]);
    expect(own.guard.metric().samples).toMatchObject([{ value: 1 }]);
  });
});
