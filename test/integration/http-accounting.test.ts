/** The books: after any mixture of good and bad ends, accepted = answered + failed + in flight, and the log says the same. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TunnelStats } from '../../src/edge/edge-options.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { testHost } from '../support/tunnel-world.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

/** Answers by path in all the ways in which an answer can go. */
function misbehave(request: IncomingMessage, response: ServerResponse): void {
  response.on('error', () => {});
  request.on('error', () => {});
  const kind = request.url?.split('/')[1];
  if (kind === 'silent') return;
  if (kind === 'broken') {
    response.write('part');
    setTimeout(() => response.destroy(), 20);
  } else if (kind === 'closed') response.destroy();
  else if (kind === 'slow') setTimeout(() => response.end('late'), 30);
  else if (kind === 'garbage') response.socket?.end('garbage\r\n\r\n');
  else request.resume().on('end', () => response.end('good'));
}

it('O1 writes addresses as people know them, also where one socket is for IPv4 and IPv6', async () => {
  await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
  const everywhere = { host: undefined, port: 0 };
  await using edge = await startTestEdge({}, { proxy: everywhere, grpc: everywhere, tunnel: everywhere });
  const clients: unknown[] = [];
  edge.edge.subscribe((event) => clients.push(event.type === 'exchange' ? event.client : undefined));
  await using _agent = await startTestAgent(edge.edge.ports, testHost, origin.target);
  using client = new HttpClient(edge.edge.ports.proxy, testHost);
  await client.send('GET', '/');
  const peers = () => edge.log.flatMap(({ peer }) => peer ?? []);
  await eventually('both carriers are in the log', () => peers().length === 2);
  await eventually('the exchange is told', () => clients.includes('127.0.0.1'));
  expect(edge.log.filter(({ message }) => message === 'exchange ended')).toMatchObject([{ client: '127.0.0.1' }]);
  for (const peer of peers()) expect(peer).toMatch(/^(?:127\.0\.0\.1|\[::1\]):\d+$/);
});

/** What a client saw of one request: its status, or that the transfer broke. */
type Sight = number | 'broken';

describe.each(['grpc', 'tcp'] as const)('over %s', (transport) => {
  it('hardening, the books: accepted = answered + failed + in flight, at every moment of a mixed run and at its end', async () => {
    await using origin = await startHttpOrigin(misbehave);
    const down = await startSocketOrigin(() => {});
    await down[Symbol.asyncDispose]();
    await using edge = await startTestEdge({ requestTimeoutMs: 400, reconnectGraceMs: 400, maxStreams: 40 });
    const { grpc, tunnel } = edge.edge.ports;
    await using proxy = await startCuttableProxy(transport === 'grpc' ? grpc : tunnel);
    const ports = transport === 'grpc' ? { grpc: proxy.port, tunnel } : { grpc, tunnel: proxy.port };
    await using _agent = await startTestAgent(ports, testHost, origin.target, { transport });
    await using _downAgent = await startTestAgent(edge.edge.ports, 'down.test', down.target, { transport });
    const gone = await startTestAgent(edge.edge.ports, 'gone.test', origin.target, { transport });
    await gone[Symbol.asyncDispose]();

    const clients = new Map(
      [testHost, 'down.test', 'gone.test', 'unknown.test'].map((host) => [
        host,
        new HttpClient(edge.edge.ports.proxy, host),
      ]),
    );
    const sights: Sight[] = [];
    let sent = 0;
    const send = async (host: string, method: string, path: string, body?: string): Promise<void> => {
      sent += 1;
      const answer = await clients
        .get(host)
        ?.send(method, path, body)
        .then(
          ({ status }) => status,
          () => 'broken' as const,
        );
      sights.push(answer ?? 'broken');
    };
    let aborted = 0;
    const abort = async (): Promise<void> => {
      aborted += 1;
      using client = await rawClient(edge.edge.ports.proxy, requestText('GET', '/slow/abort', testHost));
      await pause(aborted % 20);
      client.socket.resetAndDestroy();
    };
    const unbalanced: TunnelStats[] = [];
    const audit = setInterval(() => {
      unbalanced.push(...edge.edge.stats().filter((one) => one.requests !== one.responses + one.errors + one.inFlight));
    }, 5);

    const work: Promise<void>[] = [];
    for (let round = 0; round < 60; round += 1) {
      work.push(
        send(testHost, 'GET', '/good'),
        send(testHost, 'POST', '/good', 'body'),
        send(testHost, 'GET', '/slow'),
      );
      work.push(
        send(testHost, 'GET', '/broken'),
        send(testHost, 'GET', '/closed'),
        send(testHost, 'PUT', '/garbage', 'x'),
      );
      work.push(send('down.test', 'GET', '/'), send('unknown.test', 'GET', '/'), abort());
      if (round % 10 === 0) work.push(send(testHost, 'GET', '/silent'), send('gone.test', 'GET', '/'));
      if (round % 25 === 20) proxy.cut();
      await pause(10);
    }
    await Promise.all(work);
    await eventually('nothing is in flight', () => edge.edge.stats().every(({ inFlight }) => inFlight === 0));
    clearInterval(audit);
    for (const client of clients.values()) client[Symbol.dispose]();

    expect(unbalanced).toEqual([]);
    expect(sights).toHaveLength(sent);
    const stats = edge.edge.stats();
    const total = (figure: 'requests' | 'responses' | 'errors'): number =>
      stats.reduce((sum, one) => sum + one[figure], 0);
    const log = edge.log.filter(({ message }) => message === 'exchange ended');
    const forgotten = log.filter(({ host }) => host === 'unknown.test');
    // The log has each exchange once: those of the tunnels, and those for nobody.
    expect(total('requests')).toBe(total('responses') + total('errors'));
    expect(log).toHaveLength(total('requests') + forgotten.length);
    expect(forgotten).toHaveLength(60);
    expect(new Set(log.map(({ requestId }) => requestId)).size).toBe(log.length);
    // Clients that left may have done so before their head was read; nobody else is missing.
    expect(log.length).toBeGreaterThanOrEqual(sent);
    expect(log.length).toBeLessThanOrEqual(sent + aborted);
    // What clients saw is what the log says they saw.
    const stayed = log.filter(({ path }) => path !== '/slow/abort');
    const count = (status: Sight): number => sights.filter((sight) => sight === status).length;
    const logged = (status: number): number =>
      stayed.filter((line) => line['status'] === status && (line['code'] === undefined || status !== 200)).length;
    for (const status of [200, 404, 502, 503, 504])
      expect(`${status}: ${logged(status)}`).toBe(`${status}: ${count(status)}`);
    expect(count(200)).toBeGreaterThan(0);
    expect(count('broken')).toBe(stayed.filter((line) => line['status'] === 200 && line['code'] !== undefined).length);
    expect(count(502) + count(503) + count(504)).toBeGreaterThan(0);
  });
});
