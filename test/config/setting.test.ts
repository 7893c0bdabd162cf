import { describe, expect, it } from 'vitest';
import { agentSettings, resolveAgentSettings } from '../../src/config/agent-settings.ts';
import { settingKey } from '../../src/config/config-file.ts';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { findSetting, resolveSettings, type Setting, type SettingSources } from '../../src/config/setting.ts';

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
    expect(resolveSettings(edgeSettings, {}, { GIRAFFE_TRUSTED_PROXIES: '::1,10.0.0.0/8' }).trustedProxies).toEqual([
      '::1',
      '10.0.0.0/8',
    ]);
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

  it('takes a token of the environment before a token file of a configuration file', () => {
    const file = {
      path: '/f.yaml',
      read: (entry: Setting) => (entry.flag === 'token-file' ? { value: 't', key: 'agent.tokenFile' } : undefined),
    };
    const settings = resolveAgentSettings({}, { GIRAFFE_TOKEN: 'grf_x' }, file);
    expect([settings.token?.reveal(), settings.tokenFile]).toEqual(['grf_x', undefined]);
    expect(resolveAgentSettings({}, {}, file).tokenFile).toBe('/t');
  });

  it('refuses a token and a token file of flags', () => {
    expect(() => resolveAgentSettings({ 'token-file': '/f', token: 'grf_x' }, {})).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE' }),
    );
  });
});

describe('findSetting()', () => {
  const { proxyPort, tlsCert } = edgeSettings;
  const file = { path: '/etc/giraffe/giraffe.config.yaml', read: () => ({ value: 3, key: 'server.ports.proxy' }) };

  it('takes a flag before the environment, that before a file, and that before the default, and tells which', () => {
    const flags = { 'proxy-port': '1' };
    const env = { PROXY_PORT: '2' };
    const found = (sources: Partial<SettingSources>) =>
      findSetting(proxyPort, { flags: {}, env: {}, file: undefined, ...sources });
    expect(found({ flags, env, file })).toEqual({ source: 'flag', text: '1', name: '--proxy-port' });
    expect(found({ env, file })).toEqual({ source: 'environment', text: '2', name: 'PROXY_PORT' });
    expect(found({ file })).toEqual({
      source: 'file',
      text: '3',
      name: 'server.ports.proxy in /etc/giraffe/giraffe.config.yaml',
    });
    expect(found({})).toEqual({ source: 'default', text: '8081', name: 'default' });
  });

  it('reads the path of a file in a configuration file as relative to that file', () => {
    const relative = { ...file, read: () => ({ value: 'tls/cert.pem', key: 'server.tls.cert' }) };
    expect(findSetting(tlsCert, { flags: {}, env: {}, file: relative }).text).toBe('/etc/giraffe/tls/cert.pem');
    expect(findSetting(tlsCert, { flags: { 'tls-cert': 'a.pem' }, env: {}, file: relative }).text).toBe('a.pem');
  });
});

/** Settings that belong to one start of the program, not to a file. */
/** What is said of one run of a program. */
const notInFiles = [
  ...['config', 'detach', 'domain', 'dotenv-file', 'github', 'max-lifetime', 'port', 'qr', 'timeout', 'url-file'],
  'wait-ready',
];

describe('the tables of settings', () => {
  it('has a place in the configuration file for every setting that belongs there', () => {
    const placeless = all.filter((entry) => settingKey(entry) === undefined).map((entry) => entry.flag);
    expect([...new Set(placeless)].sort()).toEqual(notInFiles);
  });

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
