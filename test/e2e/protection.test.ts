/**
 * P1 P2 P3 S5 S6: every row of the table in docs/protection.md, from outside: an edge with a configuration file refuses with
 * the code of the row, and its /metrics counts that.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/config-schema.ts';
import { places } from '../../src/config/schema-walk.ts';
import { hashPassword } from '../../src/state/password-hash.ts';
import { eventually } from '../support/eventually.ts';
import { type ChildProgram, type EdgePorts, GiraffeHome } from '../support/giraffe-process.ts';
import { onRequestHead, startSocketOrigin } from '../support/origins.ts';
import { type RawClient, rawClient } from '../support/raw-client.ts';
import { readText } from '../support/repository.ts';
import { switching } from '../support/upgrade-sockets.ts';

interface Row {
  readonly policy: string;
  readonly settings: readonly string[];
  readonly code: string;
  readonly metrics: readonly string[];
}

const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const rows = [
  ...readText('docs/protection.md').matchAll(/^\| ([^|]+) \| ([^|]+) \| (GIR_ERR_\w+) \| ([^|]+) \|$/gm),
].map(([, policy = '', settings = '', code = '', metrics = '']): Row => {
  return { policy, settings: quoted(settings), code, metrics: quoted(metrics) };
});

/** Each host has one policy; a client of its own for each scenario, so that none meets the quota of another. */
async function configuration(target: number): Promise<object> {
  const users = { ann: await hashPassword('correct horse') };
  const hosts = ['rate', 'client', 'busy', 'sockets', 'breaker', 'pages', 'addresses', 'size', 'slow', 'idle', 'login'];
  const tunnels = [...hosts, 'plain', 'hangs'].map((name) => {
    const own: Record<string, object> = {
      pages: { allowedOrigins: ['https://pages.test'] },
      addresses: { denyAddresses: ['198.51.100.0/24'] },
    };
    return [name, { domain: `${name}.test`, target, ...own[name] }];
  });
  const policy = (name: string, parts: object) => ({ endpoints: [`${name}.test`], ...parts });
  return {
    server: {
      trustedProxies: ['127.0.0.1'],
      proxyProtocol: ['127.0.0.5'],
      denyAddresses: ['203.0.113.66'],
      clientRateLimit: { rpm: 60 },
      maxConnectionsPerClient: 1,
      limits: {
        maxConnections: 40,
        maxStreams: 8,
        maxHeaderSize: '4KiB',
        headerTimeout: '500ms',
        bodyIdleTimeout: '500ms',
        idleConnectionTimeout: '800ms',
      },
      defaults: { rateLimit: { rpm: 0 } },
      policies: [
        policy('rate', { rateLimit: { rpm: 1 } }),
        policy('client', { clientRateLimit: { rpm: 1 } }),
        policy('busy', { maxConcurrent: 1 }),
        policy('sockets', { maxWebSockets: 1 }),
        policy('breaker', { breaker: { failures: 1, statuses: [500], openFor: '1h' } }),
        policy('size', { maxBodySize: 10 }),
        policy('slow', { requestTimeout: '300ms' }),
        policy('idle', { idleTimeout: '300ms' }),
      ],
    },
    auth: [{ provider: 'tokens' }, { provider: 'basic', options: { endpoints: ['login.test'], users } }],
    metrics: [{ exporter: 'prometheus' }],
    agent: { noInspect: true },
    tunnels: Object.fromEntries(tunnels),
  };
}

/** More than the buffers of the system and a window hold. */
const largeBytes = 64 * 1024 * 1024;
const largeAnswer = Buffer.concat([
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${largeBytes}\r\n\r\n`),
  Buffer.alloc(largeBytes),
]);

const home = new GiraffeHome();
/** Requests that came to the origin. */
let requests = 0;
const origin = await startSocketOrigin((socket) => {
  socket.once('end', () => socket.end());
  onRequestHead(socket, (head) => {
    requests += 1;
    const [, path] = head.split(' ');
    if (path === '/hangs') return;
    if (path === '/upgrades') socket.write(switching);
    else if (path === '/large') socket.write(largeAnswer);
    else if (path === '/stalls') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx');
    else socket.write(`HTTP/1.1 ${path === '/fails' ? '500 No' : '200 OK'}\r\nContent-Length: 2\r\n\r\nok`);
  });
});
let ports: EdgePorts;
let agent: ChildProgram;
const clients: RawClient[] = [];
let lastClient = 0;

beforeAll(async () => {
  const file = join(home.path, 'giraffe.config.json');
  writeFileSync(file, JSON.stringify(await configuration(origin.port)));
  const edge = await home.startEdge(['--config', file]);
  ports = edge.ports;
  const where = ['--server', `localhost:${ports.grpc}`, '--tunnel-port', String(ports.tunnel)];
  agent = home.run(['tunnel', '--config', file, '--json', ...where]);
  await agent.until('all tunnels', () => /"mode":"hybrid"/.test(agent.stdout));
});
afterAll(async () => {
  disconnect();
  await home[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** Connects as a proxy that is trusted, or from another loopback address. */
async function open(from?: string): Promise<RawClient> {
  const client = await rawClient(ports.proxy, '', { halfOpen: false, from });
  clients.push(client);
  return client;
}

/** Ends what all clients have open. */
function disconnect(): void {
  for (const client of clients.splice(0)) client[Symbol.dispose]();
}

/** A visitor whom nobody knows yet. */
function visitor(): string {
  lastClient += 1;
  return `192.0.2.${lastClient}`;
}

interface Ask {
  readonly path?: string;
  readonly visitor?: string;
  readonly fields?: readonly string[];
  readonly method?: string;
  readonly isOpen?: boolean;
}

/** Sends a request; resolves with what came when the connection is closed. An `isOpen` one is left to itself. */
async function ask(
  host: string,
  { path = '/', visitor: who = visitor(), fields = [], method = 'GET', isOpen = false }: Ask = {},
) {
  const client = await open();
  const close = isOpen ? [] : ['Connection: close'];
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}.test`, `X-Forwarded-For: ${who}`, ...close, ...fields];
  client.send(`${lines.join('\r\n')}\r\n\r\n`);
  if (!isOpen) await client.closed;
  return client.text;
}

async function twice(host: string, first: Ask): Promise<string> {
  const before = requests;
  await ask(host, { isOpen: true, ...first });
  await eventually('the first request at the origin', () => requests > before);
  return ask(host, first);
}

const upgrade = ['Connection: Upgrade', 'Upgrade: echo'];

/** What makes each policy refuse; resolves with the refusal, if a client gets to see one. */
const scenarios: Readonly<Record<string, () => Promise<string | undefined>>> = {
  'requests per minute of a tunnel': async () => {
    await ask('rate');
    return ask('rate', { path: '/upgrades', fields: upgrade });
  },
  'requests per minute of a client at an endpoint': async () => {
    const who = visitor();
    expect(await ask('client', { visitor: who })).toContain(' 200 ');
    expect(await ask('client')).toContain(' 200 ');
    return ask('client', { visitor: who });
  },
  'requests per minute of a client at the edge': async () => {
    const who = visitor();
    const client = await open();
    const request = `GET / HTTP/1.1\r\nHost: nobody.test\r\nX-Forwarded-For: ${who}\r\n\r\n`;
    client.send(request.repeat(60));
    await eventually('sixty answers', () => client.text.split('GIR_ERR_ENDPOINT_UNKNOWN').length > 60);
    return ask('plain', { visitor: who });
  },
  'requests in flight at an endpoint': () => twice('busy', { path: '/hangs' }),
  'upgraded connections of an endpoint': () => twice('sockets', { path: '/upgrades', fields: upgrade }),
  'requests in flight at an agent': async () => {
    disconnect();
    await eventually('nothing is in flight', async () => (await metric('giraffe_requests_in_flight', '')) === 0);
    const before = requests;
    for (let count = 0; count < 8; count += 1) await ask('hangs', { path: '/hangs', isOpen: true });
    await eventually('eight requests at the origin', () => requests === before + 8);
    const refusal = await ask('slow');
    disconnect();
    return refusal;
  },
  'circuit breaker': async () => {
    expect(await ask('breaker', { path: '/fails' })).toContain(' 500 ');
    return ask('breaker');
  },
  'allowed origins': () => ask('pages', { fields: ['Origin: https://evil.test'] }),
  'addresses of an endpoint': () => ask('addresses', { visitor: '198.51.100.7' }),
  'addresses at the edge': () => ask('plain', { visitor: '203.0.113.66' }),
  'size of a body': () => ask('size', { method: 'POST', fields: ['Content-Length: 11'] }),
  'time to the response': () => ask('slow', { path: '/hangs' }),
  'idle time of an exchange': async () => {
    expect(await ask('idle', { path: '/stalls' })).toMatch(/ 200 [\s\S]*\r\n\r\nx$/);
    return undefined;
  },
  'idle time of a request body': () => ask('plain', { method: 'POST', path: '/hangs', fields: ['Content-Length: 5'] }),
  'time in which a client takes nothing of an answer': async () => {
    const client = await open();
    client.socket.pause();
    client.send(`GET /large HTTP/1.1\r\nHost: plain.test\r\nX-Forwarded-For: ${visitor()}\r\n\r\n`);
    return undefined;
  },
  'failed log-ins of a client': async () => {
    const [who, fields] = [visitor(), [`Authorization: Basic ${btoa('ann:wrong')}`]];
    const failures = Array.from({ length: 30 }, () => ask('login', { visitor: who, fields }));
    expect((await Promise.all(failures)).filter((text) => text.includes(' 401 '))).toHaveLength(30);
    return ask('login', { visitor: who, fields });
  },
  connections: async () => {
    disconnect();
    const full = await Promise.all(Array.from({ length: 40 }, () => open()));
    const refused = await open();
    refused.send('GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await refused.closed;
    for (const client of full) client[Symbol.dispose]();
    return refused.text;
  },
  'connections of a client': async () => {
    const first = await open('127.0.0.9');
    first.send('GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await first.until('ok');
    const second = await open('127.0.0.9');
    second.send('GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await second.closed;
    return second.text;
  },
  'size of a header section': () => ask('plain', { fields: [`X-Large: ${'x'.repeat(5000)}`] }),
  'time of a header section': async () => {
    const client = await open();
    client.send('GET / HTTP/1.1\r\nHost: pl');
    await client.closed;
    return client.text;
  },
  'idle connections, closed without a word': async () => {
    const client = await open();
    client.send(`GET / HTTP/1.1\r\nHost: plain.test\r\nX-Forwarded-For: ${visitor()}\r\n\r\n`);
    await client.closed;
    expect(client.text).toMatch(/ 200 [\s\S]*\r\n\r\nok$/);
    return undefined;
  },
  'PROXY protocol': async () => {
    const client = await open('127.0.0.5');
    client.send('GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await client.closed;
    return client.text;
  },
};

/** Returns the value of a metric, of one code where it has that label. */
async function metric(name: string, code: string): Promise<number> {
  const token = readFileSync(join(home.stateDir, 'admin-token'), 'utf8').trim();
  const response = await fetch(`http://127.0.0.1:${ports.api}/metrics`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const lines = (await response.text()).split('\n').filter((line) => new RegExp(`^${name}[ {]`).test(line));
  const counted = lines.filter((line) => !line.includes('code="') || line.includes(`code="${code}"`));
  return counted.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe('the table of protection', () => {
  const keys = places(configSchema).map(({ path }) => path.join('.'));

  it('has a scenario for each row, and names settings that there are', () => {
    expect(rows.map(({ policy }) => policy).sort()).toEqual(Object.keys(scenarios).sort());
    for (const name of rows.flatMap(({ settings }) => settings)) {
      const isAnywhere = ['tunnels.*', 'server.policies.[]', 'server.defaults'].map((place) => `${place}.${name}`);
      const wanted = name.startsWith('server.') ? [name] : isAnywhere;
      expect(keys).toEqual(expect.arrayContaining(wanted));
    }
  });

  it.each(rows.map((row) => [row.policy, row] as const))(
    'P1 P2 S5 S6 %s: its code is told and counted',
    async (_, row) => {
      const counter = row.metrics[0] ?? '';
      const before = await metric(counter, row.code);
      const refusal = await scenarios[row.policy]?.();
      if (refusal !== undefined) expect(refusal).toContain(row.code);
      if (/^HTTP\/1.1 (?:429|503)/.test(refusal ?? '')) expect(refusal).toMatch(/\r\nRetry-After: [1-9]/);
      await eventually('it is counted', async () => (await metric(counter, row.code)) > before);
      for (const other of row.metrics.slice(1)) expect(await metric(other, row.code)).toBeGreaterThan(0);
    },
  );

  it('P2 shows an open breaker in the stats of its tunnel', async () => {
    const token = readFileSync(join(home.stateDir, 'admin-token'), 'utf8').trim();
    const url = `http://127.0.0.1:${ports.api}/api/v1/stats?domain=breaker.test`;
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
    expect(await response.json()).toMatchObject({ tunnels: [{ domain: 'breaker.test', breaker: 'open' }] });
  });
});
