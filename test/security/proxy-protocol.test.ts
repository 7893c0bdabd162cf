/** The PROXY protocol: believed from configured balancers only, and then demanded; and connections of one client. */
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { codeOf, startPolicyWorld } from '../support/policy-world.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { testHost } from '../support/tunnel-world.ts';

const request = requestText('GET', '/', testHost, ['Connection: close']);
const line = 'PROXY TCP4 198.51.100.9 192.0.2.1 4711 80\r\n';
const startEchoing = () =>
  startHttpOrigin((incoming, response) => response.end(String(incoming.headers['x-forwarded-for'])));
const balancers = { proxyProtocolPeers: ['127.0.0.1'] };

describe('the PROXY protocol', () => {
  it('tells the client’s address to the origin, the log and the limits', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, {
      operator: { ...balancers, defaults: { clientRateLimit: { rpm: 1, burst: 0, announce: false } } },
    });
    const received: string[] = [];
    for (const address of ['198.51.100.9', '198.51.100.9', '198.51.100.8']) {
      using client = await rawClient(world.port, line.replace('198.51.100.9', address) + request);
      await client.ended;
      received.push(client.text);
    }
    expect(received.map((text) => text.slice(9, 12))).toEqual(['200', '429', '200']);
    expect(received[0]).toContain('198.51.100.9');
    expect(world.edge.log.some((entry) => entry['client'] === '198.51.100.8')).toBe(true);
  });

  it('is read in pieces, and with version 2 together with the request', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, { operator: balancers });
    using slow = await rawClient(world.port);
    for (const octet of line + request) {
      await new Promise((resolve) => slow.socket.write(octet, 'latin1', resolve));
    }
    const binary = Buffer.concat([
      Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
      Buffer.from([198, 51, 100, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 80]),
    ]).toString('latin1');
    using quick = await rawClient(world.port, binary + request);
    await Promise.all([slow.ended, quick.ended]);

    expect(slow.text).toContain('198.51.100.9');
    expect(quick.text).toContain('198.51.100.7');
  });

  it('an attacker who sends it without being a balancer gets 400, and no address of his choice', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, { operator: { proxyProtocolPeers: ['192.0.2.0/24'] } });
    using forged = await rawClient(world.port, line + request);
    await forged.ended;
    expect(forged.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(origin.connections).toBe(0);
  });

  it.each([
    ['no header', request],
    ['a malformed header', `PROXY TCP4 198.51.100.9\r\n${request}`],
    ['a header without an end', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['a second header', line + line + request],
  ])('from a balancer, %s is a 400', async (_name, text) => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, { operator: balancers });
    using client = await rawClient(world.port, text);
    await client.ended;
    expect(client.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(client.text).toContain('GIR_ERR_REQUEST_INVALID');
    expect(origin.connections).toBe(0);
  });

  it('a balancer that opens a connection and is silent is cut off, and in no drain’s way', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, { operator: balancers, limits: { headTimeoutMs: 200 } });
    using silent = await rawClient(world.port, 'PROXY ');
    expect(await silent.ended).toBe('fin');

    using other = await rawClient(world.port, 'PROXY ');
    await world.edge.edge.drain(5000);
    await other.ended;
  });
});

describe('S5 connections of one client', () => {
  it('S5 one more than allowed gets 429 with its code, and a place again when one has closed', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, {
      operator: { maxConnectionsPerClient: 2, defaults: {} },
    });
    using first = await rawClient(world.port);
    using second = await rawClient(world.port);
    const statusOf = async (): Promise<string> => {
      using client = await rawClient(world.port, request);
      await client.ended;
      return `${client.text.slice(9, 12)} ${codeOf(client.text)}`;
    };
    expect(await statusOf()).toBe('429 GIR_ERR_CLIENT_CONNECTION_LIMIT');
    expect(world.edge.edge.rejections()).toEqual({ GIR_ERR_CLIENT_CONNECTION_LIMIT: 1 });

    first.socket.resetAndDestroy();
    await eventually('there is room', async () => (await statusOf()) === '200 undefined');
    expect((second.socket.address() as AddressInfo).port).toBeGreaterThan(0);
  });

  it('S5 a flood of connections of one client leaves room for others', async () => {
    await using origin = await startEchoing();
    await using world = await startPolicyWorld(origin, {
      operator: { ...balancers, maxConnectionsPerClient: 5 },
      limits: { maxConnections: 50 },
    });
    const flood = await Promise.all(Array.from({ length: 60 }, () => rawClient(world.port, line)));
    await eventually(
      'most are closed',
      () => flood.filter(({ socket }) => socket.readableEnded || socket.destroyed).length >= 45,
    );
    using other = await rawClient(world.port, line.replace('198.51.100.9', '198.51.100.8') + request);
    await other.ended;
    expect(other.text).toMatch(/^HTTP\/1\.1 200 /);
    for (const client of flood) client[Symbol.dispose]();
  });
});
