import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/config-file.ts';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { resolveSettings } from '../../src/config/setting.ts';
import { createHangUpTest } from '../../src/host/hang-up.ts';
import { mayShowOption } from '../../src/host/option-secrets.ts';
import type { ConfigWithFile } from '../../src/host/program-config.ts';
import { type Reload, Reloader } from '../../src/host/reloader.ts';
import { SelectedExtension } from '../../src/host/selected-extension.ts';
import { settingChanges } from '../../src/host/setting-changes.ts';
import { recordingLogger } from '../support/world.ts';

const nothing = { changed: [], needsRestart: [] };

describe('Reloader', () => {
  it('runs one reload after the other, and one more for all that were asked for meanwhile', async () => {
    const steps: string[] = [];
    const gates: (() => void)[] = [];
    const reload: Reload<number> = {
      logger: recordingLogger().logger,
      read: async () => steps.push('read'),
      use: async () => {
        steps.push('use');
        await new Promise<void>((resolve) => gates.push(resolve));
        steps.push('used');
        return nothing;
      },
    };
    const reloader = new Reloader(reload);
    const all = Promise.all([reloader.request(), Promise.resolve().then(() => reloader.request())]);
    const third = new Promise<void>((resolve) => setImmediate(() => resolve(reloader.request())));
    await new Promise((resolve) => setImmediate(resolve));
    gates[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    gates[1]?.();
    await Promise.all([all, third]);
    expect(steps).toEqual(['read', 'use', 'used', 'read', 'use', 'used']);
  });

  it('logs every problem of a configuration that is refused, and goes on', async () => {
    const { logger, lines } = recordingLogger();
    const reload: Reload<number> = {
      logger,
      read: async () => {
        throw new ConfigError(['one', 'two']);
      },
      use: async () => nothing,
    };
    await new Reloader(reload).request();
    expect(lines).toMatchObject([{ level: 'error', code: 'GIR_ERR_CONFIG', problems: ['one', 'two'] }]);
  });

  it('names what needs a restart', async () => {
    const { logger, lines } = recordingLogger();
    const use = async () => ({ changed: ['a'], needsRestart: ['proxy-port'] });
    await new Reloader({ logger, read: async () => 1, use }).request();
    expect(lines.map(({ level, settings }) => [level, settings])).toEqual([
      ['warn', ['proxy-port']],
      ['info', undefined],
    ]);
  });
});

describe('settingChanges()', () => {
  const before = resolveSettings(edgeSettings, {}, {});

  it('tells live settings from those that need a restart, and keeps the latter as they were', () => {
    const next = { ...before, proxyPort: 9000, maxStreams: 5, trustedProxies: ['10.0.0.1'] };
    const { live, restart, values } = settingChanges(edgeSettings, before, next);
    expect({ live, restart }).toEqual({ live: ['max-streams', 'trusted-proxy'], restart: ['proxy-port'] });
    expect(values).toEqual({ ...next, proxyPort: before.proxyPort });
  });

  it('finds nothing in settings that are equal', () => {
    const { live, restart } = settingChanges(edgeSettings, before, resolveSettings(edgeSettings, {}, {}));
    expect({ live, restart }).toEqual({ live: [], restart: [] });
  });
});

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

describe('mayShowOption()', () => {
  const options = z.strictObject({
    url: z.string(),
    key: z.string().meta({ secret: true }),
    nested: z.strictObject({ name: z.string(), password: z.string().meta({ secret: true }) }).optional(),
    names: z.array(z.string()),
    either: z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string().meta({ secret: true }) })]),
    any: z.record(z.string(), z.string()),
  });

  it.each([
    ['url', true],
    ['key', false],
    ['nested.name', true],
    ['nested.password', false],
    ['names.0', true],
    ['either.a', true],
    ['either.b', false],
    ['any.x', true],
    ['unknown', false],
  ])('decides about %s', (path, expected) => {
    expect(mayShowOption(options, path.split('.'))).toBe(expected);
  });
});

describe('createHangUpTest()', () => {
  it.each([
    ['the terminal it was started from is gone', true, false, true],
    ['it still has its terminal', true, true, false],
    ['it never had one', false, false, false],
  ])('tells a process whether SIGHUP means the end: %s', (_, before, after, expected) => {
    let hasTerminal = before;
    const isTerminalGone = createHangUpTest(() => hasTerminal);
    hasTerminal = after;
    expect(isTerminalGone()).toBe(expected);
  });
});
