import { describe, expect, it } from 'vitest';
import { edgeSettings } from '../../../src/config/edge-settings.ts';
import { resolveSettings } from '../../../src/config/setting.ts';
import { settingChanges } from '../../../src/host/settings/setting-changes.ts';

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
