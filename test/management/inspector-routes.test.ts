import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { StoreChanges } from '../../src/inspector/exchange-store.ts';
import type { ExchangeDetail, ExchangeListEvent, ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import { Inspector } from '../../src/inspector/inspector.ts';
import type { ReplayRequest } from '../../src/inspector/replay-request.ts';
import { createAgentApp } from '../../src/management/agent-app.ts';
import { createInspectorRoutes } from '../../src/management/inspector-routes.ts';
import { type ToldExchange, tell } from '../inspector/recorded.ts';
import { frame } from '../inspector/web-socket-frame.ts';
import { agentView } from '../support/agent-view.ts';
import { storeLimits } from '../support/store-limits.ts';

const json = { 'Content-Type': 'application/json' };

/** An inspector that recorded `told`, and the API in front of it. */
function world(...told: ToldExchange[]) {
  const inspector = new Inspector(storeLimits);
  const records = told.map((one) => tell(inspector.store, one));
  const replays: ReplayRequest[] = [];
  inspector.attach({ replay: (request) => `replay-${replays.push(request)}` });
  const faults: Error[] = [];
  const agent = { ...agentView(), noteFault: (error: Error) => void faults.push(error) };
  const app = createAgentApp(agent, [createInspectorRoutes(inspector, '1.2.3')]);
  const send = (path: string, init: RequestInit = {}) =>
    app.fetch(new Request(`http://x${path}`, { ...init, headers: { host: 'localhost:4040', ...init.headers } }));
  const get = async <T>(path: string): Promise<T> => (await (await send(path)).json()) as T;
  const [{ id } = { id: '' }] = records;
  return { inspector, records, replays, faults, send, get, id };
}

function post(body: unknown, headers: Record<string, string> = json): RequestInit {
  return { method: 'POST', headers, body: JSON.stringify(body) };
}

/** Takes the place of whoever tells a store's watchers, so that a test tells them what it likes. */
function watchersOf({ store }: Inspector) {
  const watchers = new Set<(changes: StoreChanges) => void>();
  vi.spyOn(store, 'watch').mockImplementation((watcher) => {
    watchers.add(watcher);
    return { [Symbol.dispose]: () => void watchers.delete(watcher) };
  });
  const tell = (changes: StoreChanges) => {
    for (const watcher of watchers) watcher(changes);
  };
  return { tell, count: () => watchers.size };
}

describe('the list of exchanges', () => {
  it('has the latest first, with what one wants to see at a glance and without secrets', async () => {
    const { get } = world({ target: '/1' }, { method: 'POST', target: '/2?token=abc', body: 'hello', answer: 'ok' });
    const { exchanges } = await get<{ exchanges: ExchangeSummary[] }>('/api/v1/requests');
    expect(exchanges).toMatchObject([
      {
        method: 'POST',
        path: '/2?token=[masked]',
        status: 200,
        carrier: 'grpc',
        isLive: false,
        requestBytes: 5,
        responseBytes: 2,
      },
      { path: '/1' },
    ]);
  });

  it('can be emptied', async () => {
    const { send, get } = world({});
    expect((await send('/api/v1/requests', { method: 'DELETE' })).status).toBe(204);
    expect(await get('/api/v1/requests')).toMatchObject({ exchanges: [], heldBytes: 0 });
  });

  it('comes live: first what is kept, then what changes', async () => {
    const { send, inspector, id } = world({ isLive: true });
    const response = await send('/api/v1/requests/events');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<ExchangeListEvent> => {
      const { value = '' } = (await reader?.read()) ?? {};
      return JSON.parse(value.slice(value.indexOf('data: ') + 6)) as ExchangeListEvent;
    };
    expect(await next()).toMatchObject({ isWhole: true, changed: [{ id, isLive: true }], dropped: [] });
    inspector.store.get(id)?.onFinished(undefined);
    expect(await next()).toMatchObject({ isWhole: false, changed: [{ id, isLive: false }] });
    inspector.store.clear();
    expect(await next()).toMatchObject({ isWhole: false, changed: [], dropped: [id] });
    await reader?.cancel();
  });

  it('comes whole again at once when a slow page has missed too much', async () => {
    const { send, inspector, records } = world({});
    const watching = watchersOf(inspector);
    const reader = (await send('/api/v1/requests/events')).body?.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<string> => (await reader?.read())?.value ?? '';
    expect(await next()).toContain('"isWhole":true');
    watching.tell({ changed: records, dropped: [] });
    await new Promise((resolve) => setImmediate(resolve));
    watching.tell({ changed: [], dropped: Array.from({ length: 5001 }, (_, index) => `gone-${index}`) });
    let text = '';
    while (!text.includes('"isWhole":true')) text = await next();
    await reader?.cancel();
    expect(watching.count()).toBe(0);
  });

  it('is watched for nobody after HEAD', async () => {
    const { send, inspector } = world();
    const watching = watchersOf(inspector);
    expect((await send('/api/v1/requests/events', { method: 'HEAD' })).status).toBe(200);
    expect(watching.count()).toBe(0);
  });
});

describe('one exchange', () => {
  const secret = {
    fields: [
      ['Host', 'app.test'],
      ['Authorization', 'Bearer abc'],
      ['X-Name', 'J\xc3\xbcrgen'],
    ],
    target: '/?key=abc',
    answerFields: [['Set-Cookie', 'sid=abc; Path=/']],
  } as const;

  it('has its heads and bodies, codings undone', async () => {
    const answerFields = [
      ['Content-Encoding', 'gzip'],
      ['Content-Type', 'text/plain'],
    ] as const;
    const { get, id } = world({ body: 'question', answer: gzipSync('answer'), answerFields });
    const detail = await get<ExchangeDetail>(`/api/v1/requests/${id}`);
    expect(Buffer.from(detail.request.body?.base64 ?? '', 'base64').toString()).toBe('question');
    expect(detail.response?.body).toMatchObject({ decoded: ['gzip'], isTruncated: false });
    expect(Buffer.from(detail.response?.body?.base64 ?? '', 'base64').toString()).toBe('answer');
    expect(detail.response?.fields).toEqual(answerFields);
    expect(detail.times.headMs).toBeGreaterThanOrEqual(detail.times.connectedMs ?? Number.NaN);
  });

  it('hides secrets unless they are asked for', async () => {
    const { send, id } = world(secret);
    for (const path of [`/api/v1/requests/${id}`, '/api/v1/requests', '/api/v1/requests.har', '/api/requests/http']) {
      const text = await (await send(path)).text();
      expect(text).not.toContain('abc');
    }
    const shown = (await (await send(`/api/v1/requests/${id}?secrets=show`)).json()) as ExchangeDetail;
    expect(shown).toMatchObject({ path: '/?key=abc', isMasked: false, response: { fields: secret.answerFields } });
    expect(shown.request.fields).toContainEqual(['Authorization', 'Bearer abc']);
    expect(shown.request.fields).toContainEqual(['X-Name', 'Jürgen']);
  });

  it('has the messages of a WebSocket, those behind a number alone', async () => {
    const { get, id, records } = world({
      upgrade: 'websocket',
      status: 101,
      answerFields: [['Upgrade', 'websocket']],
      isLive: true,
    });
    records[0]?.onRelayed('toOrigin', frame({ payload: 'hello', isMasked: true }));
    records[0]?.onRelayed('toClient', frame({ opcode: 2, payload: Buffer.from([0, 1]) }));
    records[0]?.onRelayed('toClient', frame({ opcode: 8, payload: Buffer.from([3, 232, 98, 121, 101]) }));
    expect(await get(`/api/v1/requests/${id}/messages`)).toMatchObject({
      count: 3,
      messages: [
        { number: 0, direction: 'toOrigin', kind: 'text', text: 'hello' },
        { number: 1, direction: 'toClient', kind: 'binary', base64: 'AAE=' },
        { number: 2, kind: 'close', text: '1000 bye' },
      ],
    });
    expect(await get(`/api/v1/requests/${id}/messages?after=-1`)).toMatchObject({ messages: { length: 3 } });
    expect(await get(`/api/v1/requests/${id}/messages?after=1`)).toMatchObject({ messages: [{ number: 2 }] });
    expect(await get(`/api/v1/requests/${id}`)).toMatchObject({ protocol: 'websocket', messageCount: 3 });
  });

  it('is a problem when it is not kept', async () => {
    const { send } = world();
    for (const path of ['/api/v1/requests/x', '/api/v1/requests/x/messages', '/api/requests/http/x']) {
      expect((await send(path)).status).toBe(404);
    }
  });
});

describe('what goes wrong', () => {
  it('inside is noted, and not told to whoever asked', async () => {
    const { inspector, send, faults, id } = world({});
    inspector.attach({
      replay: () => {
        throw new Error('a secret of the inside');
      },
    });
    const response = await send(`/api/v1/requests/${id}/replay`, post({}));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(faults.map(({ message }) => message)).toEqual(['a secret of the inside']);
  });

  it.each(['/api/requests/http?limit=some', '/api/requests/http?limit=-1', '/api/v1/requests/ID/messages?after=last'])(
    'with the number of %s is told',
    async (path) => {
      const { send, id } = world({});
      const response = await send(path.replace('ID', id));
      expect(await response.json()).toMatchObject({ status: 400, code: 'GIR_ERR_API_BODY' });
    },
  );
});

describe('the form of other tunnels', () => {
  it.each(['/api/requests/http', '/api/requests'])('is found at %s', async (path) => {
    const { get, id } = world({ method: 'POST', target: '/hook', body: 'hello', answer: 'ok' });
    const { requests } = await get<{ requests: { request: { raw: string } }[] }>(path);
    expect(requests).toMatchObject([
      {
        uri: `/api/requests/http/${id}`,
        id,
        tunnel_name: 'app.test',
        request: { method: 'POST', proto: 'HTTP/1.1', headers: { Host: ['app.test'] }, uri: '/hook' },
        response: { status: '200 OK', status_code: 200 },
      },
    ]);
    expect(Buffer.from(requests[0]?.request.raw ?? '', 'base64').toString()).toBe(
      'POST /hook HTTP/1.1\r\nHost: app.test\r\n\r\nhello',
    );
    expect(await get(`${path}?tunnel_name=other.test`)).toMatchObject({ requests: [] });
  });

  it('replays by id', async () => {
    const { send, replays, id } = world({ target: '/hook' });
    expect((await send('/api/requests/http', post({ id }))).status).toBe(204);
    expect(replays).toMatchObject([{ head: { target: '/hook' }, replayOf: id }]);
  });
});

describe('a replay', () => {
  it('sends what was recorded, secrets too, without what belonged to its connection', async () => {
    const { send, replays, id } = world({
      method: 'POST',
      target: '/?token=abc',
      body: 'hello',
      fields: [
        ['Host', 'app.test'],
        ['Cookie', 'sid=abc'],
        ['Expect', '100-continue'],
        ['Content-Length', '5'],
      ],
    });
    const response = await send(`/api/v1/requests/${id}/replay`, post({}));
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe('/api/v1/requests/replay-1');
    expect(await response.json()).toEqual({ id: 'replay-1' });
    expect(replays[0]).toMatchObject({ endpoint: 'app.test', body: Buffer.from('hello') });
    expect(replays[0]?.head).toMatchObject({
      method: 'POST',
      target: '/?token=abc',
      body: { kind: 'length', lengthBytes: 5 },
      fields: [
        ['Host', 'app.test'],
        ['Cookie', 'sid=abc'],
        ['Content-Length', '5'],
      ],
    });
  });

  it('sends edits, and recorded secrets where their masks were left', async () => {
    const { send, replays, id } = world({ fields: [['Authorization', 'Bearer abc']], target: '/?key=abc' });
    const edits = {
      method: 'PUT',
      target: '/new?key=[masked]',
      fields: [
        ['Authorization', 'Bearer [masked]'],
        ['X-Name', 'Jürgen'],
      ],
      bodyBase64: 'aGk=',
    };
    expect((await send(`/api/v1/requests/${id}/replay`, post(edits))).status).toBe(201);
    expect(replays[0]?.body.toString()).toBe('hi');
    expect(replays[0]?.head).toMatchObject({ method: 'PUT', target: '/new?key=abc' });
    expect(replays[0]?.head.fields).toEqual([
      ['Authorization', 'Bearer abc'],
      ['X-Name', 'J\xc3\xbcrgen'],
      ['Content-Length', '2'],
    ]);
  });

  it.each([
    ['a method that is none', { method: 'GE T' }],
    ['a target that is none', { target: 'http://other/' }],
    ['a field that hides a line break', { fields: [['X-A', 'a\r\nX-B: b']] }],
    ['a mask for which nothing was recorded', { fields: [['X-A', '[masked]']] }],
    ['a key that it does not know', { path: '/' }],
  ])('refuses %s', async (_what, edits) => {
    const { send, replays, id } = world({});
    const response = await send(`/api/v1/requests/${id}/replay`, post(edits));
    expect(await response.json()).toMatchObject({ status: 400, code: 'GIR_ERR_API_BODY', detail: expect.any(String) });
    expect(replays).toEqual([]);
  });

  it.each([
    ['an upgrade', { upgrade: 'websocket', status: 101 }],
    ['a body of which only the beginning is kept', { body: Buffer.alloc(300 * 1024) }],
  ])('is refused for %s', async (_what, told) => {
    const { send, id } = world(told);
    const response = await send(`/api/v1/requests/${id}/replay`, post({}));
    expect(await response.json()).toMatchObject({ status: 409, code: 'GIR_ERR_REPLAY_REFUSED' });
  });

  it.each([
    ['text/plain', { 'Content-Type': 'text/plain' }, 400],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 400],
    ['a page of another origin', { ...json, Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a page that rebound its name', { ...json, host: 'evil.test' }, 421],
  ])('is refused to %s', async (_what, headers, status) => {
    const { send, replays, id } = world({});
    for (const path of [`/api/v1/requests/${id}/replay`, '/api/requests/http']) {
      const body = path.endsWith('replay') ? {} : { id };
      expect((await send(path, post(body, headers))).status).toBe(status);
    }
    expect(replays).toEqual([]);
  });
});
