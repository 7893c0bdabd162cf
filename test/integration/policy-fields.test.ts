/** Acceptance S6, and what a policy does to header fields and addresses, over a whole tunnel. */
import { describe, expect, it } from 'vitest';
import { startHttpOrigin } from '../support/origins.ts';
import { codeOf, startPolicyWorld } from '../support/policy-world.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { testHost } from '../support/tunnel-world.ts';
import { startWebSocketOrigin } from '../support/websocket-origin.ts';

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** An origin that answers with the request's header lines, as it got them. */
const startEchoing = () =>
  startHttpOrigin((request, response) => {
    response.setHeader('X-Origin', 'o');
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify(request.rawHeaders));
  });

function lines(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
}

describe('S6 allowed origins', () => {
  const allowedOrigins = ['https://app.example.com'];

  it.each([
    ['the allowed one passes', 'https://app.example.com', '101', undefined],
    ['the endpoint itself passes', `http://${testHost}`, '101', undefined],
    ['a foreign one gets 403', 'https://evil.test', '403', 'GIR_ERR_FOREIGN_ORIGIN'],
    ['a hidden one gets 403', 'null', '403', 'GIR_ERR_FOREIGN_ORIGIN'],
  ])('S6 a WebSocket of a page from %s', async (_name, page, status, code) => {
    await using origin = await startWebSocketOrigin();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { allowedOrigins } } });
    using client = await rawClient(world.port, requestText('GET', '/ws', testHost, [...upgrade, `Origin: ${page}`]));
    const head = await client.until('\r\n\r\n');
    expect(head.slice(9, 12)).toBe(status);
    expect(codeOf(head)).toBe(code);
  });

  it('S6 a CORS preflight and a request of a foreign page get 403 with the code, and the origin sees neither', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { allowedOrigins } } });
    const headers = { Origin: 'https://evil.test', 'Access-Control-Request-Method': 'PUT' };
    const preflight = await world.client.send('OPTIONS', '/', undefined, { headers });
    const simple = await world.client.send('POST', '/', 'x', { headers: { Origin: 'https://evil.test' } });

    for (const answer of [preflight, simple]) {
      expect([answer.status, codeOf(answer.text)]).toEqual([403, 'GIR_ERR_FOREIGN_ORIGIN']);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(origin.connections).toBe(0);
    expect(world.edge.edge.stats()[0]?.codes).toEqual({ GIR_ERR_FOREIGN_ORIGIN: 2 });
  });

  it('S6 the edge answers preflights when it is told how', async () => {
    await using origin = await startEchoing();
    const cors = {
      methods: ['GET', 'PUT'],
      headers: ['*'],
      exposedHeaders: ['X-Origin'],
      credentials: true,
      maxAgeSeconds: 600,
    };
    await using world = await startPolicyWorld(origin, { tunnel: { policy: { allowedOrigins, cors } } });
    const headers = {
      Origin: 'https://app.example.com',
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'x-a, x-b',
    };
    const preflight = await world.client.send('OPTIONS', '/', undefined, { headers });
    expect([preflight.status, preflight.text, origin.connections]).toEqual([204, '', 0]);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-a, x-b',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
      vary: 'Origin',
    });

    const answer = await world.client.get('/', { headers: { Origin: 'https://app.example.com' } });
    expect([answer.status, answer.headers['access-control-expose-headers']]).toEqual([200, 'X-Origin']);
    expect(world.edge.edge.stats()[0]).toMatchObject({ requests: 2, responses: 2, errors: 0, inFlight: 0 });
  });
});

describe('header rules', () => {
  it('change both heads, the agent’s first and the operator’s behind them, and touch nothing else', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, {
      tunnel: {
        policy: {
          requestHeaders: { remove: ['Cookie'], set: { 'X-Api-Key': 'k' }, add: { 'X-List': '2' } },
          responseHeaders: { remove: ['X-Origin'], set: {}, add: { 'X-Frame-Options': 'DENY' } },
        },
      },
      operator: {
        defaults: { requestHeaders: { remove: ['X-Api-Key'], set: {}, add: {} } },
      },
    });
    const answer = await world.client.get('/', {
      headers: { Cookie: 'secret', 'x-api-key': 'forged', 'X-List': '1', 'X-Kept': 'v' },
    });

    const seen = lines(JSON.parse(answer.text) as string[]);
    expect(seen).toEqual(expect.arrayContaining([`Host: ${testHost}`, 'X-List: 1', 'X-List: 2', 'X-Kept: v']));
    expect(seen.join('\n')).not.toMatch(/cookie|x-api-key/i);
    const got = lines(answer.rawHeaders);
    expect(got).toEqual(expect.arrayContaining(['X-Frame-Options: DENY', 'Set-Cookie: a=1', 'Set-Cookie: b=2']));
    expect(got.join('\n')).not.toContain('X-Origin');
  });

  it('do not hinder an upgrade', async () => {
    await using origin = await startWebSocketOrigin();
    const rules = { remove: ['Origin'], set: { 'X-A': 'a' }, add: {} };
    const policy = { requestHeaders: rules, responseHeaders: rules };
    await using world = await startPolicyWorld(origin, { tunnel: { policy } });
    using client = await rawClient(world.port, requestText('GET', '/ws', testHost, upgrade));
    const head = await client.until('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).toContain('X-A: a');
  });
});

describe('addresses', () => {
  it('a client that is denied gets 403, and the edge’s own list is for unknown endpoints as well', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, {
      tunnel: { policy: { denyAddresses: ['198.51.100.0/24'] } },
      operator: { denyAddresses: ['203.0.113.7'] },
      edge: { trustedProxies: ['127.0.0.1'] },
    });
    const from = async (address: string, host = testHost) => {
      const answer = await world.client.get('/', { headers: { Host: host, 'X-Forwarded-For': address } });
      return answer.status === 200 ? 200 : `${answer.status} ${codeOf(answer.text)}`;
    };
    expect(await from('192.0.2.1')).toBe(200);
    expect(await from('198.51.100.9')).toBe('403 GIR_ERR_ADDRESS_DENIED');
    expect(await from('203.0.113.7', 'unknown.test')).toBe('403 GIR_ERR_ADDRESS_DENIED');
    expect(await from('198.51.100.9, 192.0.2.1')).toBe(200);
  });
});
