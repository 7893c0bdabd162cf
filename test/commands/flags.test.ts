/** The commands' flags as README, spec and examples promise them. What the commands do is tested end to end. */
import { describe, expect, it } from 'vitest';
import ConfigShow from '../../src/commands/config/show.ts';
import Start from '../../src/commands/server/start.ts';
import Tunnel from '../../src/commands/tunnel.ts';
import { agentSettings } from '../../src/config/agent-settings.ts';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { settingEntries } from '../../src/config/provenance.ts';
import type { SettingTable } from '../../src/config/setting.ts';
import { readText } from '../support/repository.ts';

const commands = [
  ['server start', Start, edgeSettings],
  ['tunnel', Tunnel, agentSettings],
] as const;

function byFlag(table: SettingTable) {
  return new Map(Object.values(table).map((entry) => [entry.flag, entry]));
}

describe.each(commands)('giraffe %s', (_name, command, settings: SettingTable) => {
  it('has one flag per setting, and no other', () => {
    const flags = Object.keys(command.flags).sort();
    expect(flags).toEqual([...byFlag(settings).keys()].sort());
  });

  it('leaves defaults and variables to the settings: oclif would hide where a value comes from', () => {
    for (const flag of Object.values(command.flags)) {
      expect(flag.default).toBeUndefined();
      expect(flag.env).toBeUndefined();
    }
  });

  it('has a default for each setting that its own schema accepts', () => {
    for (const { flag, defaultText, schema } of Object.values(settings)) {
      const isAccepted = defaultText === undefined || schema.safeParse(defaultText).success;
      expect(isAccepted, `default of --${flag}`).toBe(true);
    }
  });

  it('uses only flags that exist in its examples', () => {
    const used = command.examples.flatMap((example) => [...example.matchAll(/ --([a-z-]+)/g)].map(([, flag]) => flag));
    const known = new Set([...Object.keys(command.flags), ...Object.keys(command.baseFlags)]);
    expect(used.filter((flag) => !known.has(String(flag)))).toEqual([]);
  });
});

describe('giraffe config show', () => {
  it('has flags that change what it tells, and no other', () => {
    const flags = Object.keys(ConfigShow.flags).filter((flag) => flag !== 'config' && flag !== 'source');
    const silent = flags.filter((flag) => {
      const entries = settingEntries({ flags: { [flag]: 'x' }, env: {}, file: undefined });
      return entries.every(({ setBy }) => setBy !== `--${flag}`);
    });
    expect(silent).toEqual([]);
    expect(flags).toEqual(expect.arrayContaining(['proxy-port', 'server', 'inspect-port', 'log-level']));
  });
});

describe('giraffe server start', () => {
  it('has the ports that README tells', () => {
    const rows = readText('README.md').matchAll(/^\| (\d+) \| .* \| `--([a-z-]+)` \| `([A-Z_]+)` \|$/gm);
    const told = [...rows].map(([, port, flag, env]) => ({ port, flag, env }));
    const flags = new Map([...byFlag(agentSettings), ...byFlag(edgeSettings)]);
    expect(told).toHaveLength(5);
    expect(told).toEqual(
      told.map(({ flag }) => ({ port: flags.get(flag ?? '')?.defaultText, flag, env: flags.get(flag ?? '')?.env })),
    );
  });

  it.each([
    ['GRPC_MAX_CONCURRENT_STREAMS', '1000'],
    ['GRPC_MAX_MESSAGE_SIZE', '16777216'],
    ['GRPC_KEEP_ALIVE_TIME', '30s'],
    ['GRPC_REQUEST_TIMEOUT', '30s'],
  ])('takes %s as existing deployments set it, by default %s', (env, defaultText) => {
    expect(Object.values<SettingTable[string]>(edgeSettings).find((entry) => entry.env === env)).toMatchObject({
      defaultText,
    });
  });
});

describe('giraffe tunnel', () => {
  it('S7 knows its token for a secret', () => {
    expect(agentSettings.token.secret).toBe(true);
  });
});
