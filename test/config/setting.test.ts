import { describe, expect, it } from 'vitest';
import { agentSettings, resolveAgentSettings } from '../../src/config/agent-settings.ts';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { resolveSettings, type Setting, sourceOf } from '../../src/config/setting.ts';

const all: readonly Setting[] = [...Object.values(edgeSettings), ...Object.values(agentSettings)];

describe('resolveSettings()', () => {
  it('takes a flag before the environment, and the environment before the default', () => {
    const values = resolveSettings(
      edgeSettings,
      { 'proxy-port': '1' },
      { PROXY_PORT: '2', API_PORT: '3', GRPC_REQUEST_TIMEOUT: '5s' },
    );
    expect(values).toMatchObject({ proxyPort: 1, apiPort: 3, grpcPort: 4444, requestTimeout: 5000 });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(resolveSettings(edgeSettings, {}, { PROXY_PORT: ' ' }).proxyPort).toBe(8081);
  });

  it('reads several values from repeated flags or from a variable with commas', () => {
    expect(resolveSettings(edgeSettings, { 'trusted-proxy': ['10.0.0.1', '::1'] }, {}).trustedProxies).toEqual([
      '10.0.0.1',
      '::1',
    ]);
    expect(resolveSettings(edgeSettings, {}, { GIRAFFE_TRUSTED_PROXIES: 'a,b' }).trustedProxies).toEqual(['a', 'b']);
    expect(resolveSettings(edgeSettings, {}, {}).trustedProxies).toEqual([]);
  });

  it('names a bad flag, what it holds and what is accepted, as wrong usage', () => {
    expect(() => resolveSettings(edgeSettings, { 'proxy-port': 'x' }, {})).toThrow(
      expect.objectContaining({
        code: 'GIR_ERR_USAGE',
        message: '--proxy-port is "x"; accepted is a port from 0 to 65535',
      }),
    );
  });

  it('names a bad variable, what it holds and what is accepted, as bad configuration', () => {
    expect(() => resolveSettings(edgeSettings, {}, { GRPC_KEEP_ALIVE_TIME: '30' })).toThrow(
      expect.objectContaining({
        code: 'GIR_ERR_CONFIG',
        message: expect.stringMatching(/^GRPC_KEEP_ALIVE_TIME is "30"; accepted is a duration /),
      }),
    );
  });

  it('names all that is wrong at once', () => {
    expect(() => resolveSettings(edgeSettings, {}, { PROXY_PORT: 'x', API_PORT: 'y' })).toThrow(
      /PROXY_PORT is "x".*API_PORT is "y"/,
    );
  });

  it('never shows a secret', () => {
    expect(() => resolveSettings(agentSettings, {}, { GIRAFFE_TOKEN: 'grf_\u0001secret' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('resolveAgentSettings()', () => {
  it('takes a token file of a flag before a token of the environment', () => {
    const settings = resolveAgentSettings({ 'token-file': '/f' }, { GIRAFFE_TOKEN: 'grf_x' });
    expect([settings.token, settings.tokenFile]).toEqual([undefined, '/f']);
  });

  it('refuses a token and a token file of flags', () => {
    expect(() => resolveAgentSettings({ 'token-file': '/f', token: 'grf_x' }, {})).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE' }),
    );
  });
});

describe('sourceOf()', () => {
  it('tells flag, environment and default apart', () => {
    const { proxyPort } = edgeSettings;
    expect(sourceOf(proxyPort, { 'proxy-port': '1' }, { PROXY_PORT: '1' })).toBe('flag');
    expect(sourceOf(proxyPort, {}, { PROXY_PORT: '1' })).toBe('environment');
    expect(sourceOf(proxyPort, {}, {})).toBe('default');
  });
});

describe('the tables of settings', () => {
  it.each(all.map((entry) => [entry.flag, entry] as const))(
    '--%s has a default that its own schema takes',
    (_, entry) => {
      expect(entry.defaultText === undefined || entry.schema.safeParse(entry.defaultText).success).toBe(true);
    },
  );

  it('has the variables that existing deployments set', () => {
    const names = all.map((entry) => entry.env);
    expect(names).toEqual(
      expect.arrayContaining([
        'API_PORT',
        'GRPC_TUNNEL_PORT',
        'TUNNEL_PORT',
        'PROXY_PORT',
        'GRPC_MAX_CONCURRENT_STREAMS',
        'GRPC_MAX_MESSAGE_SIZE',
        'GRPC_KEEP_ALIVE_TIME',
        'GRPC_REQUEST_TIMEOUT',
      ]),
    );
  });

  it('begins every other variable with GIRAFFE_', () => {
    const others = all
      .map((entry) => entry.env ?? 'GIRAFFE_')
      .filter((name) => !/^(GRPC_|API_|PROXY_|TUNNEL_)/.test(name));
    expect(others.filter((name) => !name.startsWith('GIRAFFE_'))).toEqual([]);
  });
});
