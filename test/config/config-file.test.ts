import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { agentSettings } from '../../src/config/agent-settings.ts';
import type { ConfigError } from '../../src/config/config-error.ts';
import { configFileNames, loadConfig } from '../../src/config/config-file.ts';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { resolveSettings } from '../../src/config/setting.ts';
import { filesBelow, root } from '../support/repository.ts';

const fixtures = join(root, 'test/fixtures/config');
const valid = filesBelow('test/fixtures/config/valid', '').map((path) => basename(path));
const invalid = filesBelow('test/fixtures/config/invalid', '')
  .map((path) => basename(path))
  .filter((name) => extname(name) !== '.txt');

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'giraffe-config-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Writes a configuration file and loads whatever is found in its folder. */
async function found(name: string, content: string) {
  await writeFile(join(folder, name), content);
  return loadConfig({ path: undefined, folder });
}

async function failure(work: Promise<unknown>): Promise<ConfigError> {
  return work.then(
    () => expect.fail('it was accepted'),
    (error: ConfigError) => error,
  );
}

describe('loadConfig()', () => {
  it.each(valid)('accepts %s', async (name) => {
    const loaded = await loadConfig({ path: name, folder: join(fixtures, 'valid') });
    expect(loaded.path).toBe(join(fixtures, 'valid', name));
  });

  it.each(invalid)('tells everything that is wrong with %s, and no secret', async (name) => {
    const error = await failure(loadConfig({ path: name, folder: join(fixtures, 'invalid') }));
    const expected = await readFile(join(fixtures, 'invalid', `${name}.txt`), 'utf8');
    expect(error.code).toBe('GIR_ERR_CONFIG');
    const told = error.problems.map((problem) => problem.replaceAll(join(fixtures, 'invalid', '/'), ''));
    expect(`${told.join('\n')}\n`).toBe(expected);
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  it('reads every value of a file into the settings of edge and agent', async () => {
    const { source } = await loadConfig({ path: 'everything.yaml', folder: join(fixtures, 'valid') });
    expect(resolveSettings(edgeSettings, {}, {}, source)).toMatchObject({
      baseDomain: 'tunnels.example.com',
      host: '0.0.0.0',
      proxyPort: 8081,
      tlsCert: join(fixtures, 'valid/tls/cert.pem'),
      stateDir: '/var/lib/giraffe',
      drainTimeout: 60_000,
      requestTimeout: 45_000,
      reconnectGrace: 0,
      trustedProxies: ['10.0.0.0/8', '::1'],
      maxHeaderSize: 131_072,
      maxMessageSize: 33_554_432,
      logLevel: 'debug',
      logFile: join(fixtures, 'valid/giraffe.log'),
    });
    expect(resolveSettings(agentSettings, {}, {}, source)).toMatchObject({
      server: { host: 'edge.example.com', port: 4444 },
      tokenFile: join(fixtures, 'valid/secrets/token'),
      ca: `sha256:${'0'.repeat(64)}`,
      insecure: false,
      stateDir: join(fixtures, 'valid/state'),
      drainTimeout: 10_000,
    });
  });

  it('is all defaults where there is no file', async () => {
    const { path, source, config } = await loadConfig({ path: undefined, folder });
    expect({ path, source }).toEqual({ path: undefined, source: undefined });
    expect(config).toEqual({
      plugins: [],
      routing: { strategy: 'hybrid', options: {} },
      auth: [{ provider: 'tokens', options: {} }],
      tunnels: {},
    });
  });

  it('has a fixture for each ending', () => {
    const endings = new Set(
      configFileNames.map((name) => extname(name)).filter((ending) => /^\.[a-z]{2,4}$/.test(ending)),
    );
    expect([...endings].sort()).toEqual([...new Set(valid.map((name) => extname(name)))].sort());
  });

  it.each([
    ['giraffe.config.ts', 'export default { server: { baseDomain: "a.test" as string } };'],
    ['giraffe.config.mjs', 'export default { server: { baseDomain: "a.test" } };'],
    ['giraffe.config.cjs', 'module.exports = { server: { baseDomain: "a.test" } };'],
    ['giraffe.config.json', '{ "server": { "baseDomain": "a.test" } }'],
    ['giraffe.config.yaml', 'server: { baseDomain: a.test }'],
    ['giraffe.config.yml', 'server: { baseDomain: a.test }'],
    ['giraffe.config.toml', '[server]\nbaseDomain = "a.test"'],
    ['.girafferc', 'server: { baseDomain: a.test }'],
    ['.girafferc.json', '{ "server": { "baseDomain": "a.test" } }'],
    ['.girafferc.toml', '[server]\nbaseDomain = "a.test"'],
    ['package.json', '{ "name": "x", "giraffe": { "server": { "baseDomain": "a.test" } } }'],
  ])('finds %s in the current folder', async (name, content) => {
    const { config, path } = await found(name, content);
    expect([config.server?.baseDomain, path]).toEqual(['a.test', join(folder, name)]);
  });

  it('does not look in the folders above', async () => {
    await writeFile(join(folder, 'giraffe.config.yaml'), 'server: { baseDomain: a.test }');
    const below = await mkdtemp(join(folder, 'below-'));
    expect((await loadConfig({ path: undefined, folder: below })).path).toBeUndefined();
  });

  it.each([
    ['ts', 'export default'],
    ['mjs', 'export default'],
    ['cjs', 'module.exports ='],
  ])('reads a .%s file anew each time, so that a reload sees what has changed', async (ending, begin) => {
    const read = async (domain: string) => {
      const { config } = await found(`giraffe.config.${ending}`, `${begin} { server: { baseDomain: '${domain}' } };`);
      return config.server?.baseDomain;
    };
    expect([await read('a.test'), await read('b.test')]).toEqual(['a.test', 'b.test']);
  });

  it('lets a module import others and await', async () => {
    await writeFile(join(folder, 'domain.mjs'), "export const domain = 'a.test';");
    const module =
      "import { domain } from './domain.mjs'; export default await Promise.resolve({ server: { baseDomain: domain } });";
    expect((await found('giraffe.config.ts', module)).config.server?.baseDomain).toBe('a.test');
  });

  it('names a file that is not there or has another ending', async () => {
    await writeFile(join(folder, 'a.conf'), 'server: {}');
    expect((await failure(loadConfig({ path: 'none.yaml', folder }))).message).toBe('none.yaml cannot be read: ENOENT');
    expect((await failure(loadConfig({ path: 'a.conf', folder }))).message).toMatch(/^a\.conf .* end with \.ts, \.js/);
  });

  it.skipIf(process.getuid?.() === 0)('refuses a file that it may not read rather than run without it', async () => {
    await writeFile(join(folder, 'giraffe.config.yaml'), 'server: {}');
    await chmod(join(folder, 'giraffe.config.yaml'), 0);
    expect((await failure(loadConfig({ path: undefined, folder }))).message).toContain('cannot be read: EACCES');
  });

  it('keeps a token of the file as a secret', async () => {
    const { source } = await found('giraffe.config.yaml', 'agent: { token: hunter2 }');
    const settings = resolveSettings(agentSettings, {}, {}, source);
    expect(settings.token?.reveal()).toBe('hunter2');
    expect(`${settings.token} ${JSON.stringify(settings)} ${inspect(settings)}`).not.toContain('hunter2');
  });
});

describe('the fixtures', () => {
  it('have one expected message for each invalid file', async () => {
    const texts = (await readdir(join(fixtures, 'invalid'))).filter((name) => extname(name) === '.txt');
    expect(texts.sort()).toEqual(invalid.map((name) => `${name}.txt`).sort());
  });
});

describe('a file that is a program', () => {
  it('is told when it does not come to an end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const failed = failure(found('giraffe.config.mjs', 'await new Promise(() => {}); export default {};'));
      while (vi.getTimerCount() === 0) await nextTurn();
      vi.advanceTimersByTime(10_000);
      expect((await failed).message).toContain('it has not ended after 10 s');
    } finally {
      vi.useRealTimers();
    }
  });

  it('may hold values that no other file can, each of which is told by its place', async () => {
    const ports = '{ proxy: 10n, grpc: NaN, api: -Infinity, tunnel: () => 1 }';
    const content = `export default { server: { ports: ${ports} }, auth: [null] };`;
    const { problems } = await failure(found('giraffe.config.mjs', content));
    expect(problems.map((problem) => problem.split('.mjs: ')[1]).sort()).toEqual([
      'auth[0] is empty; accepted is a mapping',
      'server.ports.api is -Infinity; accepted is a port from 0 to 65535',
      'server.ports.grpc is NaN; accepted is a port from 0 to 65535',
      'server.ports.proxy is 10; accepted is a port from 0 to 65535',
      'server.ports.tunnel is a function; accepted is a port from 0 to 65535',
    ]);
  });

  it('that leads back to itself is told so', async () => {
    const content = 'const server = {}; server.server = server; export default { server };';
    expect((await failure(found('giraffe.config.mjs', content))).message).toContain('server.server leads back');
  });
});
