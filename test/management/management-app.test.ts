import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { createManagementApp } from '../../src/management/management-app.ts';
import type {
  AgentSessionView,
  EdgeFigures,
  LiveEvent,
  ManagementPort,
  TunnelFigures,
} from '../../src/management/management-port.ts';
import { ExchangeTally } from '../../src/telemetry/exchange-tally.ts';

const tally = new ExchangeTally();
for (let sent = 0; sent < 3; sent += 1) tally.began();
tally.ended(
  { error: undefined, transport: 'grpc', durationMs: 5, requestBytes: 10, responseBytes: 20, isRelay: false },
  false,
  0,
);
const figures: TunnelFigures = {
  domain: 'app.test',
  sessions: 1,
  ...tally.read(0),
  breaker: 'closed',
  rateLimit: { perMinute: 100, burst: 10, remaining: 107 },
};
const at = new Date(1_700_000_000_000);
const time = at.toISOString();
const byTransport = { grpc: 1, tcp: 1 };
const overview: EdgeFigures = {
  startedAt: at,
  takenAt: at,
  totals: {
    ...tally.read(0),
    transports: { grpc: 1, tcp: 0, none: 0, upgrades: 0 },
    webSockets: 0,
    sessionsOpened: 1,
    sessionsClosed: {},
    agentRefusals: {},
    rejections: {},
  },
  now: {
    connections: 1,
    endpoints: 1,
    sessions: 1,
    carriers: byTransport,
    streams: byTransport,
    windowBytes: byTransport,
    originsDown: 0,
    openBreakers: 0,
    memory: { heap: 1, external: 2, resident: 3 },
  },
};
const session: AgentSessionView = {
  sessionId: 's1',
  agentId: 'a1',
  domains: ['app.test'],
  principal: 'tokens:t1',
  openedAt: at,
  labels: [],
  weight: 1,
  canWithdraw: true,
  mode: 'hybrid',
  inFlight: 0,
  peers: ['127.0.0.1:5'],
};
const other = { ...figures, domain: 'other.test', sessions: 0, breaker: undefined, rateLimit: undefined };
const { breaker: _, rateLimit: __, ...otherBody } = other;

function port(overrides: Partial<ManagementPort> = {}): ManagementPort {
  return {
    now: () => at.getTime(),
    isReady: () => true,
    overview: () => overview,
    stats: () => [figures, other],
    sessions: () => [session],
    disconnect: () => 1,
    snapshot: () => ({ role: 'edge', startedAt: at, takenAt: at, metrics: [] }),
    pullExporters: () => [],
    listTokens: () => [
      { id: 't1', name: 'old', endpoints: ['*'], createdAt: at, expiresAt: at },
      { id: 't2', name: 'ci', endpoints: ['a.test'], createdAt: at, expiresAt: undefined },
    ],
    createToken: async () => ({ id: 't3', secret: 'grf_secret' }),
    revokeToken: async (id) => id === 't2',
    drain: () => 30_000,
    subscribe: () => () => {},
    noteFault: () => {},
    authenticateAdmin: (token) => token === 'gra_right',
    ...overrides,
  };
}

async function get(
  path: string,
  headers: Record<string, string> = {},
  edge = port(),
  init: { readonly method?: string; readonly body?: string } = {},
): Promise<Response> {
  const length = init.body === undefined ? {} : { 'content-length': String(init.body.length) };
  const request = new Request(`http://x${path}`, {
    ...init,
    headers: { host: 'localhost:8080', ...length, ...headers },
  });
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
    expect(await response.json()).toEqual({
      v: 1,
      role: 'edge',
      ...overview,
      startedAt: time,
      takenAt: time,
      tunnels: [figures, otherBody],
    });
  });

  it('gives the figures of one domain, whatever its case', async () => {
    const response = await get('/api/v1/stats?domain=APP.test', admin);
    expect(await response.json()).toMatchObject({ tunnels: [figures] });
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

  it('does not tell what went wrong inside, but notes it', async () => {
    const noted: string[] = [];
    const broken = port({
      noteFault: ({ message }) => void noted.push(message),
      stats: () => {
        throw new Error('inner secret');
      },
    });
    const response = await get('/api/v1/stats', admin, broken);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('inner secret');
    expect(noted).toEqual(['inner secret']);
  });
});

describe('/api/v1/tunnels', () => {
  it('lists endpoints with their agents', async () => {
    const body = { ...figures, agents: [{ ...session, openedAt: time }] };
    expect(await (await get('/api/v1/tunnels', admin)).json()).toEqual({
      tunnels: [body, { ...otherBody, agents: [] }],
    });
    expect(await (await get('/api/v1/tunnels/APP.test', admin)).json()).toEqual(body);
  });

  it.each(['GET', 'DELETE'])('%s answers 404 for an endpoint that is none', async (method) => {
    const response = await get('/api/v1/tunnels/nobody.test', admin, port(), { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'GIR_ERR_ENDPOINT_UNKNOWN' });
  });

  it('DELETE disconnects the agents of one', async () => {
    const asked: string[] = [];
    const edge = port({ disconnect: (domain) => asked.push(domain) });
    const response = await get('/api/v1/tunnels/App.test', admin, edge, { method: 'DELETE' });
    expect(await response.json()).toEqual({ disconnected: 1 });
    expect(asked).toEqual(['app.test']);
  });
});

describe('/api/v1/tokens', () => {
  const json = { ...admin, 'content-type': 'application/json' };
  const post = (body: string, edge = port(), headers: Record<string, string> = json) =>
    get('/api/v1/tokens', headers, edge, { method: 'POST', body });

  it('lists tokens without secrets', async () => {
    expect(await (await get('/api/v1/tokens', admin)).json()).toEqual({
      tokens: [
        { id: 't1', name: 'old', endpoints: ['*'], createdAt: time, expiresAt: time, expired: true },
        { id: 't2', name: 'ci', endpoints: ['a.test'], createdAt: time, expired: false },
      ],
    });
  });

  it('makes one and shows its secret', async () => {
    const response = await post(JSON.stringify({ name: 'ci', endpoints: ['a.test'], expiresAt: time }));
    expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(await response.json()).toEqual({
      id: 't3',
      name: 'ci',
      endpoints: ['a.test'],
      expiresAt: time,
      token: 'grf_secret',
    });
  });

  it('takes a name as long as `giraffe token create` does', async () => {
    expect((await post(JSON.stringify({ name: 'n'.repeat(100) }))).status).toBe(201);
    expect((await post(JSON.stringify({ name: 'n'.repeat(101) }))).status).toBe(400);
  });

  it.each([
    ['no JSON', '{'],
    ['no name', '{}'],
    ['a name of another kind', '{"name":1}'],
    ['an unknown field', '{"name":"x","admin":true}'],
    ['a date that is none', '{"name":"x","expiresAt":"tomorrow"}'],
  ])('refuses a body with %s as problem details', async (_, body) => {
    const response = await post(body);
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    expect(await response.json()).toMatchObject({ code: 'GIR_ERR_API_BODY', detail: expect.stringMatching(/./) });
  });

  it('takes a body of 64 KiB, and refuses a larger one before it is read', async () => {
    const sized = (bytes: number) => post('{"name":"x"}', port(), { ...json, 'content-length': String(bytes) });
    expect((await sized(64 * 1024)).status).toBe(201);
    const response = await sized(64 * 1024 + 1);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ status: 413, code: 'GIR_ERR_API_BODY_TOO_LARGE' });
  });

  it('refuses a body whose length is not told', async () => {
    const headers = { ...json, 'transfer-encoding': 'chunked' };
    expect((await post('{"name":"x"}', port(), headers)).status).toBe(400);
  });

  it('refuses a body that does not say that it is JSON', async () => {
    expect((await post('{"name":"x"}', port(), { ...json, 'content-type': 'text/plain' })).status).toBe(400);
  });

  it('tells what the store does not take', async () => {
    const createToken = () => Promise.reject(new GiraffeError('GIR_ERR_USAGE', 'the pattern a..b is none'));
    const response = await post('{"name":"x"}', port({ createToken }));
    expect(await response.json()).toMatchObject({ code: 'GIR_ERR_API_BODY', detail: 'the pattern a..b is none' });
  });

  it('revokes one', async () => {
    expect((await get('/api/v1/tokens/t2', admin, port(), { method: 'DELETE' })).status).toBe(204);
    const unknown = await get('/api/v1/tokens/t9', admin, port(), { method: 'DELETE' });
    expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([404, 'GIR_ERR_TOKEN_UNKNOWN']);
  });
});

describe('POST /api/v1/drain', () => {
  it('begins to drain', async () => {
    const response = await get('/api/v1/drain', admin, port(), { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([202, { status: 'draining', deadlineMs: 30_000 }]);
  });

  it('is refused to pages of other origins', async () => {
    const headers = { ...admin, origin: 'https://evil.example' };
    expect((await get('/api/v1/drain', headers, port(), { method: 'POST' })).status).toBe(403);
  });
});

describe('GET /api/v1/events', () => {
  /** Opens the events of an edge that tells them when asked. */
  async function open(path = '/api/v1/events') {
    const listeners = new Set<(event: LiveEvent) => void>();
    const subscribe = (listener: (event: LiveEvent) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    const response = await get(path, admin, port({ subscribe }));
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    const read = async () => decoder.decode((await reader.read()).value);
    const tell = (event: LiveEvent) => {
      for (const listener of listeners) listener(event);
    };
    return { response, reader, read, tell, listeners };
  }

  it('tells events as they happen, with version and time', async () => {
    const { response, read, tell, reader } = await open();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await read()).toMatch(/^: /);
    tell({ type: 'breaker', domain: 'a.test' });
    const text = await read();
    expect(text).toMatch(/^event: breaker\ndata: .*\n\n$/);
    expect(JSON.parse(text.split('data: ')[1] ?? '')).toEqual({
      v: 1,
      event: 'breaker',
      at: expect.stringMatching(/^\d{4}-/),
      domain: 'a.test',
    });
    await reader.cancel();
  });

  it('tells of one endpoint alone when asked', async () => {
    const { read, tell, reader } = await open('/api/v1/events?domain=A.test');
    await read();
    tell({ type: 'exchange', domain: 'b.test' });
    tell({ type: 'exchange', domain: 'a.test' });
    tell({ type: 'session-opened', domains: ['x.test', 'a.test'] });
    let text = '';
    while (!text.includes('session-opened')) text += await read();
    expect(text).not.toContain('b.test');
    await reader.cancel();
  });

  it('hardening, bounded: a slow reader loses events, is told how many, and nobody waits for it', async () => {
    const { read, tell, reader } = await open();
    await read();
    for (let told = 0; told < 5000; told += 1) tell({ type: 'exchange', domain: 'a.test' });
    let text = '';
    while (!text.includes('event: lost')) text += await read();
    const kept = text.split('event: exchange').length - 1;
    expect(kept).toBeLessThanOrEqual(1100);
    expect(JSON.parse(text.split('event: lost\ndata: ')[1] ?? '')).toMatchObject({ count: 5000 - kept });
    await reader.cancel();
  });

  it('listens no more when the reader has gone', async () => {
    const { read, reader, listeners } = await open();
    await read();
    expect(listeners.size).toBe(1);
    await reader.cancel();
    expect(listeners.size).toBe(0);
  });

  it('listens for nobody after HEAD, which gets no events', async () => {
    let listeners = 0;
    const subscribe = () => {
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    };
    expect((await get('/api/v1/events', admin, port({ subscribe }), { method: 'HEAD' })).status).toBe(200);
    expect(listeners).toBe(0);
  });
});

describe('GET /api/v1/metrics', () => {
  const prometheus = { name: 'prometheus', contentType: 'text/plain', render: () => 'the text' };
  const edge = port({ pullExporters: () => [prometheus] });

  it('O2 is JSON, or the text of the exporter that renders, by Accept', async () => {
    expect(await (await get('/api/v1/metrics', admin, edge)).json()).toMatchObject({ role: 'edge', metrics: [] });
    for (const accept of ['text/plain;version=0.0.4', 'application/openmetrics-text;q=1,text/plain;q=0.5,*/*;q=0.1']) {
      expect(await (await get('/api/v1/metrics', { ...admin, accept }, edge)).text()).toBe('the text');
    }
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
