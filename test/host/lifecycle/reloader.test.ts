import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { type Reload, Reloader } from '../../../src/host/lifecycle/reloader.ts';
import { recordingLogger } from '../../support/world.ts';

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
