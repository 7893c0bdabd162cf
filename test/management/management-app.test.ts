import { describe, expect, it } from 'vitest';
import { createManagementApp } from '../../src/management/management-app.ts';
import type { ManagementPort, TunnelFigures } from '../../src/management/management-port.ts';

const figures: TunnelFigures = {
  domain: 'app.test',
  sessions: 1,
  requests: 3,
  responses: 2,
  errors: 1,
  inFlight: 0,
  requestBytes: 10,
  responseBytes: 20,
  reconnects: 1,
  transports: { grpc: 2, tcp: 0, upgrades: 1 },
};

function port(overrides: Partial<ManagementPort> = {}): ManagementPort {
  return {
    isReady: () => true,
    stats: () => [figures, { ...figures, domain: 'other.test' }],
    pullExporters: () => [],
    authenticateAdmin: (token) => token === 'gra_right',
    ...overrides,
  };
}

async function get(path: string, headers: Record<string, string> = {}, edge = port()): Promise<Response> {
  const request = new Request(`http://x${path}`, { headers: { host: 'localhost:8080', ...headers } });
  return createManagementApp(edge, ['tunnels.example.com']).fetch(request);
}

const admin = { authorization: 'Bearer gra_right' };

describe('health', () => {
  it.each(['/livez', '/readyz', '/healthz'])('%s answers without a token', async (path) => {
    expect((await get(path)).status).toBe(200);
  });

  it('/readyz answers 503 while the edge takes nothing new, and /livez 200', async () => {
    const draining = port({ isReady: () => false });
    expect((await get('/readyz', {}, draining)).status).toBe(503);
    expect((await get('/livez', {}, draining)).status).toBe(200);
  });
});

describe('GET /api/v1/stats', () => {
  it('gives the figures of all tunnels to the admin', async () => {
    const response = await get('/api/v1/stats', admin);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ tunnels: [figures, { ...figures, domain: 'other.test' }] });
  });

  it('gives the figures of one domain, whatever its case', async () => {
    const response = await get('/api/v1/stats?domain=APP.test', admin);
    expect(await response.json()).toEqual({ tunnels: [figures] });
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer gra_wrong' }],
    ['another scheme', { authorization: 'Basic gra_right' }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('refuses %s with problem details', async (_, headers: Record<string, string>) => {
    const response = await get('/api/v1/stats', headers);
    expect([response.status, response.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(await response.json()).toMatchObject({ status: 401, code: 'GIR_ERR_API_TOKEN' });
  });

  it('tells a stranger nothing about which paths exist', async () => {
    expect((await get('/api/v1/nothing')).status).toBe(401);
    expect((await get('/api/v1/nothing', admin)).status).toBe(404);
  });

  it('does not tell what went wrong inside', async () => {
    const broken = port({
      stats: () => {
        throw new Error('inner secret');
      },
    });
    const response = await get('/api/v1/stats', admin, broken);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('inner secret');
  });
});

describe('GET /metrics', () => {
  const exporter = (name: string) => ({ name, contentType: `text/${name}`, render: () => `figures of ${name}` });
  const exporters = port({ pullExporters: () => [exporter('first'), exporter('second')] });

  it.each([
    ['/metrics', 'first'],
    ['/metrics/first', 'first'],
    ['/metrics/second', 'second'],
  ])('O2 %s gives the text of the exporter %s', async (path, name) => {
    const response = await get(path, admin, exporters);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, `text/${name}`]);
    expect(await response.text()).toBe(`figures of ${name}`);
  });

  it('O2 needs the admin token', async () => {
    expect((await get('/metrics', {}, exporters)).status).toBe(401);
    expect((await get('/metrics/second', {}, exporters)).status).toBe(401);
  });

  it('O2 is not there without an exporter that renders', async () => {
    expect((await get('/metrics', admin)).status).toBe(404);
    expect((await get('/metrics/third', admin, exporters)).status).toBe(404);
  });
});

describe('the Host of a request (DNS rebinding)', () => {
  it.each([
    'localhost',
    'LOCALHOST:1',
    'a.localhost',
    '127.0.0.1:8080',
    '[::1]:8080',
    '10.1.2.3',
    'tunnels.example.com',
  ])('may be %s', async (host) => {
    expect((await get('/livez', { host })).status).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evil-localhost',
    'a.tunnels.example.com',
    '',
    'a b',
    'x@localhost',
  ])('may not be %j', async (host) => {
    const response = await get('/livez', { host });
    expect(response.status).toBe(421);
    expect(await response.json()).toMatchObject({ code: 'GIR_ERR_API_HOST' });
  });
});
