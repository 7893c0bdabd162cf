import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAgentApp } from '../../src/management/agent-app.ts';
import type { AgentPort, LocalStats } from '../../src/management/agent-port.ts';
import { startAgentServer } from '../../src/management/agent-server.ts';
import { ExchangeTally } from '../../src/telemetry/exchange-tally.ts';
import { rawClient } from '../support/raw-client.ts';

const web = { name: 'web', domain: 'app.test', url: 'http://app.test:8081', target: 'http://localhost:3000' };
const plain = { name: undefined, domain: 'b.test', url: 'https://b.test', target: 'unix:/run/app.sock' };
const startedAt = new Date(1_700_000_000_000);
const tally = new ExchangeTally();
for (let sent = 0; sent < 3; sent += 1) tally.began();
const figures = { domain: 'app.test', ...tally.read(0) };
const stats: LocalStats = {
  startedAt,
  takenAt: startedAt,
  mode: 'hybrid',
  tunnels: [figures],
  memory: { heap: 1, external: 2, resident: 3 },
};

function port(overrides: Partial<AgentPort> = {}): AgentPort {
  return {
    isReady: () => true,
    tunnels: () => [web, plain],
    stats: () => stats,
    pullExporters: () => [],
    noteFault: () => {},
    ...overrides,
  };
}

async function send(path: string, headers: Record<string, string> = {}, agent = port(), method = 'GET') {
  const request = new Request(`http://x${path}`, { method, headers: { host: 'localhost:4040', ...headers } });
  const app = createAgentApp(agent, [(routes) => routes.post('/change', (context) => context.json({ changed: true }))]);
  return app.fetch(request);
}

describe('GET /api/tunnels', () => {
  it('lists tunnels as scripts for other tunnels expect', async () => {
    const response = await send('/api/tunnels');
    expect(await response.json()).toEqual({
      tunnels: [
        {
          name: 'web',
          uri: '/api/tunnels/web',
          public_url: 'http://app.test:8081',
          proto: 'http',
          config: { addr: 'http://localhost:3000' },
          metrics: { http: { count: 3, gauge: 3 } },
        },
        expect.objectContaining({ name: 'b.test', public_url: 'https://b.test', proto: 'https' }),
      ],
      uri: '/api/tunnels',
    });
  });

  it('gives one of them by its name', async () => {
    expect(await (await send('/api/tunnels/web')).json()).toMatchObject({ public_url: web.url });
    const unknown = await send('/api/tunnels/nothing');
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });
});

describe('health and figures', () => {
  it('/readyz answers 503 while no tunnel serves, and /livez 200', async () => {
    const away = port({ isReady: () => false });
    expect((await send('/readyz', {}, away)).status).toBe(503);
    expect((await send('/livez', {}, away)).status).toBe(200);
    expect((await send('/readyz')).status).toBe(200);
  });

  it('O2 /api/v1/stats gives the figures of all endpoints or of one', async () => {
    const time = startedAt.toISOString();
    const whole = { ...stats, v: 1, role: 'agent', startedAt: time, takenAt: time, tunnels: [{ ...web, ...figures }] };
    expect(await (await send('/api/v1/stats')).json()).toEqual(whole);
    expect(await (await send('/api/v1/stats?domain=APP.test')).json()).toEqual(whole);
    expect(await (await send('/api/v1/stats?domain=b.test')).json()).toMatchObject({ tunnels: [] });
  });

  it('O2 /metrics is the text of the exporter that renders, if there is one', async () => {
    const exporter = { name: 'prometheus', contentType: 'text/plain', render: () => 'figures' };
    expect(await (await send('/metrics', {}, port({ pullExporters: () => [exporter] }))).text()).toBe('figures');
    expect((await send('/metrics')).status).toBe(404);
  });
});

describe('pages of others', () => {
  it.each(['evil.example', 'app.example.com:4040', ''])('may not use the name %j (DNS rebinding)', async (host) => {
    const response = await send('/api/tunnels', { host });
    expect(response.status).toBe(421);
    expect(await response.json()).toMatchObject({ code: 'GIR_ERR_API_HOST' });
  });

  it('get no CORS field', async () => {
    const response = await send('/api/tunnels', { origin: 'https://evil.example' });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each([
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['the Origin null', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://localhost:3000' }],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }],
  ])('change nothing: %s', async (_, headers: Record<string, string>) => {
    const response = await send('/change', headers, port(), 'POST');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'GIR_ERR_API_ORIGIN' });
  });

  it.each([
    ['programs', {}],
    ['our own pages', { origin: 'http://localhost:4040', 'sec-fetch-site': 'same-origin' }],
  ])('are not %s', async (_, headers: Record<string, string>) => {
    expect((await send('/change', headers, port(), 'POST')).status).toBe(200);
  });
});

describe('bodies of requests', () => {
  it('are refused by their length, before they are sent', async () => {
    await using server = await startAgentServer(port(), { port: 0, mayMove: false });
    const head = (bytes: number) =>
      `POST /api/tunnels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`;
    using client = await rawClient(server.port, head(24 * 1024 * 1024 + 1));
    expect(await client.until('GIR_ERR_API_BODY_TOO_LARGE')).toContain('HTTP/1.1 413 ');
    using other = await rawClient(server.port, head(24 * 1024 * 1024));
    expect(await other.until('GIR_ERR_API_PATH')).toContain('HTTP/1.1 404 ');
  });

  it('are refused when they do not tell their length', async () => {
    expect((await send('/change', { 'transfer-encoding': 'chunked' }, port(), 'POST')).status).toBe(400);
  });
});

describe('the port', () => {
  it('moves on from one that is taken, unless it was asked for', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port: taken } = holder.address() as { port: number };
    await using moved = await startAgentServer(port(), { port: taken, mayMove: true });
    expect(moved.port).not.toBe(taken);
    expect((await fetch(`http://127.0.0.1:${moved.port}/livez`)).status).toBe(200);
    await expect(startAgentServer(port(), { port: taken, mayMove: false })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port: taken,
    });
    await new Promise((resolve) => holder.close(resolve));
  });

  it('is never 4045, to which neither browsers nor fetch() would speak', async () => {
    await using moved = await startAgentServer(port(), { port: 4045, mayMove: true });
    expect(moved.port).not.toBe(4045);
    expect((await fetch(`http://127.0.0.1:${moved.port}/livez`)).status).toBe(200);
  });
});
