/** Routing strategies at a real edge: what they decide is what happens. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { RoutingRequest, RoutingStrategy } from '../../src/extension/index.ts';
import { parseTarget } from '../../src/http/target.ts';
import { createRulesStrategy, rules as rulesExtension } from '../../src/plugins/routing/rules.ts';
import { createStickyStrategy } from '../../src/plugins/routing/sticky.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const host = 'app.test';

function strategyOf(...rules: readonly object[]): RoutingStrategy {
  return createRulesStrategy(rulesExtension.options.parse({ rules }));
}

/** Starts a download, and counts what has come of it. */
function countBytes({ edge }: TestEdge, path: string) {
  const download = { bytes: 0, end: Promise.resolve() };
  download.end = new Promise((resolve, reject) => {
    request({ port: edge.ports.proxy, path, headers: { Host: host } }, (response) => {
      response.on('data', (chunk: Buffer) => {
        download.bytes += chunk.length;
      });
      response.once('end', resolve).once('error', reject);
    }).end();
  });
  return download;
}

/** Returns the transports that the exchanges and relays of an edge took, by path. */
function transports({ log }: TestEdge): unknown[] {
  return log
    .filter(({ message }) => /^(?:exchange|relay) ended$/.test(message))
    .map(({ path, transport }) => [path, transport]);
}

describe('P4 forced paths', () => {
  it('P4 take the forced transport, by a prefix of the path alone', async () => {
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    await using edge = await startTestEdge();
    await using _agent = await startTestAgent(edge.edge.ports, host, origin.target);
    using client = new HttpClient(edge.edge.ports.proxy, host);
    for (const path of ['/', '/ws/a', '/x?next=/ws/', '/x/ws/', '/api/a', '/socket.io/?EIO=4']) {
      expect((await client.get(path)).status).toBe(200);
    }
    expect(transports(edge)).toEqual([
      ['/', 'grpc'],
      ['/ws/a', 'tcp'],
      ['/x', 'grpc'],
      ['/x/ws/', 'grpc'],
      ['/api/a', 'grpc'],
      ['/socket.io/', 'tcp'],
    ]);
  });

  it('P4 work for a client that polls first and upgrades then, as socket.io does', async () => {
    await using origin = await startWebSocketOrigin();
    await using edge = await startTestEdge();
    await using _agent = await startTestAgent(edge.edge.ports, host, origin.target);
    using client = new HttpClient(edge.edge.ports.proxy, host);
    const poll = await client.get('/socket.io/?EIO=4&transport=polling');
    expect([poll.status, poll.text]).toEqual([200, 'plain']);
    const socket = await openWebSocket(edge.edge.ports.proxy, '/socket.io/?EIO=4&transport=websocket');
    const answer = nextMessage(socket);
    socket.send('2probe');
    expect((await answer).toString()).toBe('2probe');
    expect((await client.get('/socket.io/?EIO=4&transport=polling')).status).toBe(200);
    socket.terminate();
    expect(transports(edge).slice(0, 2)).toEqual([
      ['/socket.io/', 'tcp'],
      ['/socket.io/', 'tcp'],
    ]);
  });

  it('P4 still work when the forced transport is not there', async () => {
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    await using edge = await startTestEdge();
    await using _agent = await startTestAgent(edge.edge.ports, host, origin.target, { transport: 'grpc' });
    using client = new HttpClient(edge.edge.ports.proxy, host);
    expect((await client.get('/ws/a')).status).toBe(200);
    expect(transports(edge)).toEqual([['/ws/a', 'grpc']]);
  });
});

describe('P4 rules', () => {
  it('P4 choose agents by their labels, and refuse with 503 when nobody has one', async () => {
    await using stable = await startHttpOrigin((_request, response) => response.end('stable'));
    await using canary = await startHttpOrigin((_request, response) => response.end('canary'));
    const strategy = strategyOf(
      { when: { headers: { 'X-Canary': 'yes' } }, use: { label: 'canary' } },
      { when: { paths: ['/nowhere'] }, use: { label: 'nobody' } },
      { use: { label: 'stable' } },
    );
    await using edge = await startTestEdge({ reconnectGraceMs: 0 }, { strategy });
    await using _a = await startTestAgent(edge.edge.ports, host, stable.target, { labels: ['stable', 'region=eu'] });
    await using _b = await startTestAgent(edge.edge.ports, host, canary.target, { labels: ['canary'], weight: 5 });
    using client = new HttpClient(edge.edge.ports.proxy, host);
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await client.get('/')).text).toBe('stable');
      expect((await client.get('/', { headers: { 'X-Canary': 'yes' } })).text).toBe('canary');
    }
    expect((await client.get('/nowhere')).status).toBe(503);
  });

  it('P4 lead to another target of the agent, and S8 to no target that it was not configured with', async () => {
    await using main = await startHttpOrigin((_request, response) => response.end('main'));
    await using next = await startHttpOrigin((_request, response) => response.end('next'));
    const strategy = strategyOf(
      { when: { paths: ['/next'] }, use: { target: 'next' } },
      { when: { paths: ['/other'] }, use: { target: 'other' } },
      { when: { paths: ['/built-in'] }, use: { target: 'constructor' } },
    );
    await using edge = await startTestEdge({}, { strategy });
    await using _agent = await startTestAgent(edge.edge.ports, host, main.target, {
      tunnels: [{ domain: host, target: parseTarget(main.target), targets: { next: parseTarget(next.target) } }],
    });
    using client = new HttpClient(edge.edge.ports.proxy, host);
    expect((await client.get('/')).text).toBe('main');
    expect((await client.get('/next')).text).toBe('next');
    expect((await client.get('/other')).status).toBe(404);
    expect((await client.get('/built-in')).status).toBe(404);
  });

  it.each([
    ['urgent', 0, 3],
    ['usual', 3, 7],
  ])('P4 give octets an urgency: what is %s (%i) is not held up by what is less so (%i)', async (_, first, last) => {
    const bytes = 16 * 1024 * 1024;
    await using origin = await startHttpOrigin((_request, response) => response.end(Buffer.alloc(bytes)));
    const strategy = strategyOf(
      { when: { paths: ['/first'] }, use: { urgency: first } },
      { when: { paths: ['/last'] }, use: { urgency: last } },
    );
    await using edge = await startTestEdge({}, { strategy });
    await using links = await startLinks(edge.edge.ports);
    await using _agent = await startTestAgent(edge.edge.ports, host, origin.target, { server: links.server });
    // Priority is about who waits for whom on a path that cannot carry both at once.
    links.grpc.pace(32 * 1024 * 1024);
    const slow = countBytes(edge, '/last');
    await eventually('the less urgent one is under way', () => slow.bytes > 0);
    const fast = countBytes(edge, '/first');
    await fast.end;
    expect(fast.bytes).toBe(bytes);
    // Without urgencies, each gets half.
    expect(slow.bytes).toBeLessThan(bytes / 2);
    await slow.end;
    expect(slow.bytes).toBe(bytes);
  });

  it('P4 answer by themselves, also where no agent is', async () => {
    const answer = { status: 410, headers: { 'X-Why': 'moved' }, body: 'gone' };
    await using edge = await startTestEdge({}, { strategy: strategyOf({ when: { hosts: [host] }, answer }) });
    using client = new HttpClient(edge.edge.ports.proxy, host);
    const got = await client.get('/');
    expect([got.status, got.headers['x-why'], got.headers['content-length'], got.text]).toEqual([
      410,
      'moved',
      '4',
      'gone',
    ]);
    using other = new HttpClient(edge.edge.ports.proxy, 'other.test');
    expect((await other.get('/')).status).toBe(404);
  });
});

describe('the strategy sticky', () => {
  it('P4 keeps a visitor at one agent by the cookie that it sets', async () => {
    await using one = await startHttpOrigin((_request, response) => response.end('one'));
    await using two = await startHttpOrigin((_request, response) => response.end('two'));
    const strategy = createStickyStrategy({ by: 'cookie', name: 'stay', secure: false });
    await using edge = await startTestEdge({}, { strategy });
    await using _a = await startTestAgent(edge.edge.ports, host, one.target);
    await using _b = await startTestAgent(edge.edge.ports, host, two.target);
    using client = new HttpClient(edge.edge.ports.proxy, host);
    const first = await client.get('/');
    const [cookie = ''] = first.headers['set-cookie'] ?? [];
    const headers = { Cookie: cookie.split(';')[0] ?? '' };
    for (let turn = 0; turn < 10; turn += 1) {
      const again = await client.get('/', { headers });
      expect([again.text, again.headers['set-cookie']]).toEqual([first.text, undefined]);
    }
  });
});

describe('a strategy that is at fault', () => {
  it.each<[string, Partial<RoutingStrategy>]>([
    [
      'throws',
      {
        select: () => {
          throw new Error('no database');
        },
      },
    ],
    ['returns a promise', { select: (async () => ({ candidate: undefined })) as never }],
    ['decides nothing', { select: () => undefined as never }],
    ['invents a candidate', { select: ([first]) => ({ candidate: { ...first, sessionId: 'x' } }) }],
    ['knows no such urgency', { select: ([candidate]) => ({ candidate, urgency: 8 }) }],
    ['splits the response', { select: ([candidate]) => ({ candidate, responseFields: [['X-A', 'a\r\nX-B: b']] }) }],
    ['splits the frame', { select: ([candidate]) => ({ candidate, target: 'a b\nx:y' }) }],
    ['answers with octets', { answer: () => ({ status: 200, fields: [], body: Buffer.from('x') as never }) }],
    ['answers with an interim status', { answer: () => ({ status: 101, fields: [], body: '' }) }],
    ['frames its answer itself', { answer: () => ({ status: 200, fields: [['Content-Length', '9']], body: '' }) }],
    [
      'throws instead of an answer',
      {
        answer: (_request: RoutingRequest) => {
          throw new Error('no database');
        },
      },
    ],
  ])('that %s fails the request with GIR_ERR_EXTENSION_FAULT', async (_, faulty) => {
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    const strategy: RoutingStrategy = { select: ([candidate]) => ({ candidate }), ...faulty };
    await using edge = await startTestEdge({}, { strategy, strategyName: 'faulty' });
    await using _agent = await startTestAgent(edge.edge.ports, host, origin.target);
    using client = new HttpClient(edge.edge.ports.proxy, host);
    expect((await client.get('/')).text).toContain('GIR_ERR_EXTENSION_FAULT');
    const faults = edge.edge.snapshot().metrics.find(({ name }) => name === 'giraffe_extension_faults_total');
    expect(faults?.samples).toEqual([{ labels: { kind: 'routing-strategy', name: 'faulty' }, value: 1 }]);
    expect(edge.log).toContainEqual(
      expect.objectContaining({ level: 'error', strategy: 'faulty', err: expect.any(Error) }),
    );
  });
});
