/** `giraffe config …`, and the configuration file as edge and agent use it, in real processes. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { root } from '../support/repository.ts';

const fixturePlugins = join(root, 'test/fixtures/plugins');

/** A home folder with a configuration file in it. */
function homeWith(config: string): GiraffeHome {
  const home = new GiraffeHome();
  writeFileSync(join(home.path, 'giraffe.config.yaml'), config);
  return home;
}

describe('giraffe config show', () => {
  it('takes a flag before the environment before the file before the default, and tells which', async () => {
    await using home = homeWith('server: { ports: { proxy: 1, api: 1, grpc: 1 } }');
    const env = { PROXY_PORT: '2', API_PORT: '2' };
    const show = home.run(['config', 'show', '--source', '--proxy-port', '3', '--json'], { env });
    expect((await show.ended()).code).toBe(0);
    const file = join(home.path, 'giraffe.config.yaml');
    const ports = show.events.filter(({ key }) => /^server\.ports\.(?:proxy|api|grpc|tunnel)$/.test(String(key)));
    expect(ports.map(({ v, event, ...fields }) => [v, event, fields])).toEqual(
      [
        { key: 'server.ports.proxy', value: '3', source: 'flag', setBy: '--proxy-port' },
        { key: 'server.ports.api', value: '2', source: 'environment', setBy: 'API_PORT' },
        { key: 'server.ports.grpc', value: '1', source: 'file', setBy: file },
        { key: 'server.ports.tunnel', value: '4443', source: 'default' },
      ].map((fields) => [1, 'setting', fields]),
    );
  });

  it('S7 shows no secret, wherever it stands', async () => {
    await using home = homeWith(`
agent: { token: hunter2 }
auth: [{ provider: nobody, options: { anything: hunter2 } }, { provider: tokens }]
metrics: [{ exporter: nobody, options: { url: 'https://user:hunter2@example.com' } }]
tunnels:
  web: { target: 3000, headers: { request: { set: { Authorization: Basic hunter2, Cookie: hunter2 } } } }
  api:
    target: 3000
    headers:
      request: { set: { X-Auth: hunter2, X-Access-Key: hunter2 } }
      response: { add: { X-Next: 'https://user:hunter2@a.test/?b=1&token=hunter2' } }
plugins: []
certificates: { source: acme, options: { directoryUrl: 'https://user:hunter2@ca.test/?api_key=hunter2' } }
`);
    for (const flags of [[], ['--source'], ['--json']]) {
      const show = home.run(['config', 'show', ...flags], { env: { GIRAFFE_TOKEN: 'hunter2' } });
      expect((await show.ended()).code).toBe(0);
      expect(show.stdout).toContain('[redacted]');
      expect(show.output).not.toContain('hunter2');
    }
  });
});

it('O6 config show --help names the defaults that config show tells', async () => {
  await using home = new GiraffeHome();
  const [help, show] = [home.run(['config', 'show', '--help']), home.run(['config', 'show'])];
  expect([(await help.ended()).code, (await show.ended()).code]).toEqual([0, 0]);
  const level = /^log\.level: (\w+)$/m.exec(show.stdout)?.[1];
  expect(help.stdout.replace(/\s+/g, ' ')).toContain(`silent. [default ${level}; GIRAFFE_LOG_LEVEL]`);
});

describe('giraffe config validate', () => {
  it('accepts a good file', async () => {
    await using home = homeWith('tunnels: { web: { target: 3000 } }');
    const validate = home.run(['config', 'validate']);
    expect((await validate.ended()).code).toBe(0);
    expect(validate.stdout).toMatch(/giraffe\.config\.yaml is valid\.\n$/);
  });

  it('S7 quotes no password of a URL that is not accepted', async () => {
    await using home = homeWith("tunnels: { web: { target: 'http://user:hunter2@127.0.0.1:3000' } }");
    for (const flags of [[], ['--json']]) {
      const validate = home.run(['config', 'validate', ...flags]);
      expect((await validate.ended()).code).toBe(3);
      expect(validate.output).toContain('http://[redacted]@127.0.0.1:3000');
      expect(validate.output).not.toContain('hunter2');
    }
  });

  it('tells everything that is wrong, one line each, with status 3', async () => {
    await using home = homeWith('server: { ports: { proxi: 1, api: x } }');
    const validate = home.run(['config', 'validate']);
    expect((await validate.ended()).code).toBe(3);
    expect(validate.stderr).toMatch(
      /^Error: 2 things are wrong \(GIR_ERR_CONFIG\)\n {2}- .*api is "x".*\n {2}- .*proxi.*\nNext: /,
    );
  });

  it('tells what is wrong with edge, agent and extensions together', async () => {
    await using home = homeWith(
      'routing: { strategy: hybird }\nmetrics: [{ exporter: log, options: { intervall: 1m } }]',
    );
    const validate = home.run(['config', 'validate'], { env: { PROXY_PORT: 'x', GIRAFFE_INSPECT_PORT: 'y' } });
    expect((await validate.ended()).code).toBe(3);
    const [head, ...lines] = validate.stderr.split('\n');
    expect(head).toBe('Error: 4 things are wrong (GIR_ERR_CONFIG)');
    for (const part of ['PROXY_PORT is "x"', 'GIRAFFE_INSPECT_PORT is "y"', 'strategy named hybird', 'intervall']) {
      expect(lines.filter((line) => line.includes(part))).toHaveLength(1);
    }
  });

  it.each([
    [
      'options that an extension refuses',
      'routing: { options: { forceGrpcPath: [/a/] } }',
      3,
      /forceGrpcPath is an unknown key; did you mean forceGrpcPaths\?/,
    ],
    [
      'an extension that nobody offers',
      'routing: { strategy: hybird }',
      3,
      /no routing strategy named hybird; there is hybrid/,
    ],
    [
      'a plugin that is not installed',
      'plugins: [giraffe-plugin-none]',
      4,
      /plugin giraffe-plugin-none: it is not installed/,
    ],
  ])('refuses %s', async (_, config, status, message) => {
    await using home = homeWith(config);
    const validate = home.run(['config', 'validate']);
    expect((await validate.ended()).code).toBe(status);
    expect(validate.stderr).toMatch(message);
  });
});

describe('giraffe config schema', () => {
  it('prints the JSON Schema that is committed', async () => {
    await using home = new GiraffeHome();
    const schema = home.run(['config', 'schema']);
    expect((await schema.ended()).code).toBe(0);
    expect(schema.stdout).toBe(readFileSync(join(root, 'docs/reference/config.schema.json'), 'utf8'));
  });
});

describe('plugins of the configuration file', () => {
  it('O7 are found beside the file, by name or by path, and their extensions can be picked', async () => {
    await using home = new GiraffeHome();
    const folder = join(home.path, 'etc');
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    symlinkSync(join(fixturePlugins, 'ok'), join(folder, 'node_modules', 'giraffe-plugin-ok'));
    for (const name of ['giraffe-plugin-ok', './node_modules/giraffe-plugin-ok']) {
      writeFileSync(join(folder, 'a.yaml'), `plugins: [${name}]\nrouting: { strategy: first, options: { offset: 0 } }`);
      const edge = await home.startEdge(['--config', join(folder, 'a.yaml')]);
      expect(await edge.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
    }
  });

  it.each(['throws', 'missing-file', 'no-function', 'wrong-api-version', 'bare'])(
    'O7 keep the edge from starting when one is broken: %s',
    async (name) => {
      await using home = homeWith(`plugins: [${JSON.stringify(join(fixturePlugins, name))}]`);
      const edge = home.run(['server', 'start']);
      expect((await edge.ended()).code).toBe(4);
      expect(edge.stderr).toMatch(new RegExp(`^Error: plugin \\S*${name}: .* \\(GIR_ERR_EXTENSION_LOAD\\)$`, 'm'));
    },
  );
});

describe('tunnels of the configuration file', () => {
  it('are all opened without TARGET, and one of them by its name', async () => {
    await using home = new GiraffeHome();
    await using web = await startHttpOrigin((request, response) => response.end(`web ${request.headers.host}`));
    await using api = await startHttpOrigin((request, response) => response.end(`api ${request.headers.host}`));
    const edge = await home.startEdge();
    const { proxy, grpc } = edge.ports;
    const file = join(home.path, 'giraffe.config.toml');
    writeFileSync(
      file,
      `[agent]\nserver = "localhost:${grpc}"\n[tunnels.web]\ntarget = ${web.port}\ndomain = "web.test"\n` +
        `[tunnels.api]\ntarget = "127.0.0.1:${api.port}"\ndomain = "api.test"\nhostHeader = "rewrite"\n`,
    );
    using webClient = new HttpClient(proxy, 'web.test');
    using apiClient = new HttpClient(proxy, 'api.test');

    const both = home.run(['tunnel', '--json']);
    await servesHybrid(both);
    expect([(await webClient.get('/')).text, (await apiClient.get('/')).text]).toEqual([
      'web web.test',
      `api 127.0.0.1:${api.port}`,
    ]);
    expect(await both.end('SIGTERM')).toEqual({ code: 0, signal: null });

    const one = home.run(['tunnel', 'web', '--json']);
    await servesHybrid(one);
    expect([(await webClient.get('/')).status, (await apiClient.get('/')).status]).toEqual([200, 503]);
  });

  it('S7 a token in the file itself is used and warned of, and not shown', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const token = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
    const file = join(home.path, 'agent.yaml');
    writeFileSync(
      file,
      `agent: { server: 'localhost:${edge.ports.grpc}', token: ${token} }\ntunnels: { web: { target: 1 } }`,
    );
    const agent = home.run(['tunnel', '--config', file]);
    await agent.prints('HYBRID MODE ACTIVE');
    expect(agent.stderr).toMatch(/Warning: \S*agent\.yaml holds the token itself; agent\.tokenFile/);
    expect(agent.output).not.toContain(token);
  });

  it('names what there is when TARGET is no tunnel of the file', async () => {
    await using home = homeWith('tunnels: { web: { target: 3000 }, api: { target: 4000 } }');
    const agent = home.run(['tunnel', 'wbe']);
    expect((await agent.ended()).code).toBe(2);
    expect(agent.stderr).toContain('or a tunnel of the configuration file: web, api');
  });
});
