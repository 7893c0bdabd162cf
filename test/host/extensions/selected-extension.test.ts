import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config-file.ts';
import { SelectedExtension } from '../../../src/host/extensions/selected-extension.ts';
import type { ConfigWithFile } from '../../../src/host/settings/program-config.ts';

describe('SelectedExtension', () => {
  async function config(strategy: string): Promise<ConfigWithFile> {
    const file = await loadConfig({ path: undefined, folder: '/nowhere' });
    const routing = { strategy, options: {} };
    return { file: { ...file, config: { ...file.config, routing } } };
  }

  async function selected(events: string[]) {
    const make = async ({ file }: ConfigWithFile) => {
      const { strategy } = file.config.routing;
      events.push(`made ${strategy}`);
      return { value: strategy, end: async () => void events.push(`ended ${strategy}`) };
    };
    const section = ({ file }: ConfigWithFile) => file.config.routing;
    return SelectedExtension.start({ section, make, use: (name) => events.push(`use ${name}`) }, await config('a'));
  }

  it('is made anew when its section changes, and ends each instance once', async () => {
    const events: string[] = [];
    const extension = await selected(events);
    expect(await extension.prepare(await config('a'))).toBeUndefined();
    (await extension.prepare(await config('b')))?.apply();
    expect(extension.value).toBe('b');
    await extension[Symbol.asyncDispose]();
    expect(events).toEqual(['made a', 'made b', 'use b', 'ended a', 'ended b']);
  });

  it('ends what was prepared when the reload is refused, and keeps the former one', async () => {
    const events: string[] = [];
    const extension = await selected(events);
    const change = await extension.prepare(await config('b'));
    await change?.discard?.();
    expect(extension.value).toBe('a');
    expect(events).toEqual(['made a', 'made b', 'ended b']);
  });
});
