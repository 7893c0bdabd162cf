/** T1, T2: which carrier takes what, and what happens when one of them is blocked. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { sha256 } from '../support/sha256.ts';
import { startLoad } from '../support/steady-load.ts';
import { watchedStrategy } from '../support/watched-strategy.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

const mebibyte = 1024 * 1024;

/** An origin that answers after a moment, so that something is always in flight. */
function startSlowOrigin(delayMs = 5): Promise<Origin> {
  return startHttpOrigin((request, response) => {
    request.resume();
    setTimeout(() => response.end('ok'), delayMs);
  });
}

describe('hybrid', () => {
  it('T1 requests are carried by the gRPC port and upgrades by the TCP port, counted on the wire and in the stats', async () => {
    const body = randomBytes(4 * mebibyte);
    await using http = await startHttpOrigin((request, response) =>
      request.resume().on('end', () => response.end(body)),
    );
    await using websockets = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    await using _http = await startTestAgent(server.edge.ports, 'app.test', http.target, { server: links.server });
    await using _websockets = await startTestAgent(server.edge.ports, 'ws.test', websockets.target, {
      server: links.server,
    });
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');

    const before = { grpc: links.grpc.bytes, tunnel: links.tunnel.bytes };
    const answer = await client.send('POST', '/', body);
    expect(answer.body.equals(body)).toBe(true);
    expect(links.grpc.bytes - before.grpc).toBeGreaterThan(8 * mebibyte);
    expect(links.tunnel.bytes - before.tunnel).toBeLessThan(10_000);

    const between = { grpc: links.grpc.bytes, tunnel: links.tunnel.bytes };
    const socket = await openWebSocket(server.edge.ports.proxy, '/static/live', {
      host: 'ws.test',
      perMessageDeflate: false,
    });
    const echoed = nextMessage(socket);
    socket.send(body);
    expect((await echoed).equals(body)).toBe(true);
    expect(links.tunnel.bytes - between.tunnel).toBeGreaterThan(8 * mebibyte);
    expect(links.grpc.bytes - between.grpc).toBeLessThan(10_000);
    socket.terminate();

    await eventually('the relay has ended', () => server.edge.stats().every(({ inFlight }) => inFlight === 0));
    const transports = server.edge.stats().map(({ domain, transports }) => [domain, transports]);
    expect(transports).toEqual([
      ['app.test', { grpc: 1, tcp: 0, upgrades: 0 }],
      ['ws.test', { grpc: 0, tcp: 1, upgrades: 1 }],
    ]);
  });

  it('T1 a session is one connection to each port, however many requests it carries', async () => {
    await using origin = await startSlowOrigin(1);
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    const load = startLoad(server.edge.ports.proxy, { clients: 50 });
    await load.more(1000);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect([links.grpc.accepted, links.tunnel.accepted]).toEqual([1, 1]);
  });
});

describe('gRPC blocked', () => {
  it('T2 at the start: HTTP works over TCP, says why, and goes back to hybrid by itself without losing anything', async () => {
    await using origin = await startSlowOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    links.grpc.refuse();
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, {
      server: links.server,
      waits: false,
    });
    const ready = await agent.event('ready');
    expect(ready.mode).toBe('tcp');
    expect(ready.reason).toContain(String(links.server.grpcPort));

    const load = startLoad(server.edge.ports.proxy);
    await load.more(100);
    links.grpc.accept();
    expect((await agent.event('mode', ({ mode }) => mode === 'hybrid')).reason).toBeUndefined();
    const overTcp = server.edge.stats()[0]?.transports.tcp ?? 0;
    await load.more(100);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(overTcp).toBeGreaterThanOrEqual(100);
    // Those that were on their way over TCP at the switch are the only ones that ended there afterwards.
    expect(server.edge.stats()[0]?.transports.tcp).toBeLessThanOrEqual(overTcp + 10);
    expect(server.edge.stats()[0]?.transports.grpc).toBeGreaterThanOrEqual(90);
    expect(server.edge.stats()[0]).toMatchObject({ errors: 0, inFlight: 0, sessions: 1 });
  });

  it('T2 a long transfer that began over TCP is not touched by the way back', async () => {
    const body = randomBytes(64 * 1024);
    let release: (() => void) | undefined;
    await using origin = await startHttpOrigin((_request, response) => {
      response.write(body);
      release = () => response.end(body);
    });
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    links.grpc.refuse();
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, {
      server: links.server,
      waits: false,
    });
    await agent.event('ready', ({ mode }) => mode === 'tcp');
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    const answer = client.get('/');
    await eventually('the transfer runs', () => release !== undefined);
    links.grpc.accept();
    await agent.event('mode', ({ mode }) => mode === 'hybrid');
    release?.();
    expect(sha256((await answer).body)).toBe(sha256(Buffer.concat([body, body])));
    expect(server.edge.stats()[0]?.transports).toEqual({ grpc: 0, tcp: 1, upgrades: 0 });
  });

  it('T2 cut in mid-life: no idempotent request fails, HTTP goes on over TCP, and back', async () => {
    await using origin = await startSlowOrigin(20);
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    const load = startLoad(server.edge.ports.proxy, { clients: 20 });
    for (let round = 1; round <= 3; round += 1) {
      await load.more(100);
      links.grpc.refuse();
      links.grpc.cut();
      await eventually('the agent says tcp', () => modes(agent.events, 'tcp') === round);
      await load.more(100);
      links.grpc.accept();
      await eventually('the agent says hybrid', () => modes(agent.events, 'hybrid') === round);
    }
    await load.more(100);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(server.edge.stats()[0]).toMatchObject({ errors: 0, inFlight: 0, sessions: 1 });
    expect(agent.events.filter(({ type }) => type === 'reconnecting')).toEqual([]);
  });

  it('T2 blocked for long: the session lives through dozens of attempts to get gRPC back', async () => {
    await using origin = await startSlowOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, {
      server: links.server,
      backoff: { firstMs: 10, maxMs: 50 },
    });
    const load = startLoad(server.edge.ports.proxy);
    links.grpc.refuse();
    links.grpc.cut();
    await eventually('it has been tried 30 times', () => links.grpc.refused >= 30);
    links.grpc.accept();
    await agent.event('mode', ({ mode }) => mode === 'hybrid');
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(agent.events.filter(({ type }) => type === 'reconnecting')).toEqual([]);
  });

  it('T2 packets dropped in mid-life: pings find out, nothing fails, HTTP goes on over TCP, and back', async () => {
    await using origin = await startSlowOrigin(20);
    await using server = await startTestEdge({ keepAliveMs: 200 });
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    const load = startLoad(server.edge.ports.proxy, { clients: 20 });
    await load.more(100);
    links.grpc.stall();
    const mode = await agent.event('mode', (event) => event.mode === 'tcp');
    expect(mode.reason).toMatch(/ping|answer/i);
    await load.more(100);
    links.grpc.resume();
    await agent.event('mode', (event) => event.mode === 'hybrid');
    const overGrpc = server.edge.stats()[0]?.transports.grpc ?? 0;
    await load.more(100);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(server.edge.stats()[0]?.transports.grpc).toBeGreaterThan(overGrpc);
    expect(agent.events.filter(({ type }) => type === 'reconnecting')).toEqual([]);
  });

  it('T2 packets dropped: a new request does not wait for the ping time-out when TCP answers', async () => {
    await using origin = await startSlowOrigin(1);
    const { strategy, offered } = watchedStrategy();
    await using server = await startTestEdge({ keepAliveMs: 1000 }, { strategy });
    await using links = await startLinks(server.edge.ports);
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    await client.get('/');
    links.grpc.stall();
    // A ping goes out at most 1 s from now and is overdue 0.5 s later; the carrier is given up 1.5 s behind that.
    await eventually('a ping is overdue', () => offered('grpc')?.isHealthy === false);
    expect((await client.get('/')).status).toBe(200);
    expect(server.log.filter(({ message }) => message === 'carrier closed')).toEqual([]);
    expect(server.edge.stats()[0]?.transports.tcp).toBe(1);
  });

  it('T2 a POST that the cut may have reached is not sent again, and says so', async () => {
    let posts = 0;
    await using origin = await startHttpOrigin((request) => {
      posts += 1;
      request.resume();
    });
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    const answer = client.send('POST', '/', 'pizza');
    await eventually('the origin has it', () => posts === 1);
    links.grpc.refuse();
    links.grpc.cut();
    expect(await answer).toMatchObject({ status: 502, text: expect.stringContaining('GIR_ERR_SESSION_LOST') });
    expect(posts).toBe(1);
  });
});

describe('TCP blocked', () => {
  it('T2 at the start: upgrades work over gRPC, and over TCP once it can be had', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    links.tunnel.refuse();
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, {
      server: links.server,
      waits: false,
    });
    const ready = await agent.event('ready');
    expect(ready.mode).toBe('grpc');
    expect(ready.reason).toContain(String(links.server.tunnelPort));
    const early = await openWebSocket(server.edge.ports.proxy);
    links.tunnel.accept();
    await agent.event('mode', ({ mode }) => mode === 'hybrid');
    const late = await openWebSocket(server.edge.ports.proxy);
    for (const socket of [early, late]) {
      const echoed = nextMessage(socket);
      socket.send('hello');
      expect(String(await echoed)).toBe('hello');
      socket.terminate();
    }
    await eventually('the relays have ended', () => server.edge.stats()[0]?.inFlight === 0);
    expect(server.edge.stats()[0]?.transports).toEqual({ grpc: 1, tcp: 1, upgrades: 2 });
  });

  it('T2 in mid-life: requests are not touched, new upgrades go over gRPC, and back', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    const load = startLoad(server.edge.ports.proxy);
    await load.more(50);
    links.tunnel.refuse();
    links.tunnel.cut();
    await agent.event('mode', ({ mode }) => mode === 'grpc');
    const socket = await openWebSocket(server.edge.ports.proxy);
    links.tunnel.accept();
    await agent.event('mode', ({ mode }) => mode === 'hybrid');
    const echoed = nextMessage(socket);
    socket.send('still over gRPC');
    expect(String(await echoed)).toBe('still over gRPC');
    await load.more(50);
    await load.stop();
    expect(load.failures).toEqual([]);
    socket.terminate();
    await eventually('the relay has ended', () => server.edge.stats()[0]?.inFlight === 0);
    expect(server.edge.stats()[0]?.transports).toMatchObject({ tcp: 0, upgrades: 1 });
  });
});

function modes(events: readonly { readonly type: string; readonly mode?: string }[], wanted: string): number {
  return events.filter(({ type, mode }) => type === 'mode' && mode === wanted).length;
}
