/** T5: an edge or an agent that is told to stop finishes what it has begun. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { fixedHost } from '../support/links.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { RunningClock } from '../support/running-clock.ts';
import { sha256 } from '../support/sha256.ts';
import { startLoad } from '../support/steady-load.ts';
import { closing, nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from '../support/world.ts';

/** 8 MiB that the origin sends in 32 pieces, half of them at once and then one each 25 ms. */
const download = randomBytes(8 * 1024 * 1024);
const pieceBytes = download.length / 32;

interface BusyOrigin extends Origin {
  readonly uploads: number;
  /** Lets `/slow` and the second half of `/download` go on. */
  release(): void;
}

/** Answers `/slow` and `/download` when it is told to, `/upload` with the hash of what came, and counts. */
async function startBusyOrigin(): Promise<BusyOrigin> {
  let uploads = 0;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const origin = await startHttpOrigin(async (request, response) => {
    if (request.url === '/download') {
      for (let sent = 0; sent < download.length; sent += pieceBytes) {
        if (sent === download.length / 2) await released;
        response.write(download.subarray(sent, sent + pieceBytes));
        if (sent >= download.length / 2) await pause(25);
      }
      response.end();
      return;
    }
    const received: Buffer[] = [];
    for await (const chunk of request) received.push(chunk as Buffer);
    if (request.url === '/upload') uploads += 1;
    if (request.url === '/slow') await released;
    response.end(sha256(Buffer.concat(received)));
  });
  return Object.defineProperties(origin, {
    uploads: { get: () => uploads },
    release: { value: release },
  }) as BusyOrigin;
}

interface Work {
  /** Resolves when all has ended well; rejects when anything was lost. */
  readonly done: Promise<void>;
}

/** Begins one of each, and returns once all of them are under way. */
async function beginWork(port: number, origin: BusyOrigin, server: TestEdge): Promise<Work> {
  const client = new HttpClient(port, 'app.test');
  const upload = randomBytes(1024 * 1024);
  const { outgoing, answer } = client.open('POST', '/upload');
  const downloading = client.get('/download');
  const slow = Promise.all(Array.from({ length: 20 }, () => client.get('/slow')));
  const posts = Promise.all(Array.from({ length: 20 }, (_, index) => client.send('POST', '/slow', `body ${index}`)));
  outgoing.write(upload.subarray(0, 1000));
  const socket = await openWebSocket(port, '/', { host: 'ws.test' });
  await eventually('all is under way', () => inFlight(server) === 43);

  const finish = async (): Promise<void> => {
    for (let sent = 1000; sent < upload.length; sent += 100_000) {
      outgoing.write(upload.subarray(sent, sent + 100_000));
      await pause(40);
    }
    outgoing.end();
    origin.release();
    for (let message = 0; message < 10; message += 1) {
      const echoed = nextMessage(socket);
      socket.send(`message ${message}`);
      expect(String(await echoed)).toBe(`message ${message}`);
      await pause(40);
    }
    const closed = closing(socket);
    socket.close(1000, 'done');
    expect(await closed).toEqual({ code: 1000, reason: 'done' });
    expect((await readAnswer(await answer)).text).toBe(sha256(upload));
    expect(sha256((await downloading).body)).toBe(sha256(download));
    for (const { status } of await slow) expect(status).toBe(200);
    for (const [index, { text }] of (await posts).entries()) expect(text).toBe(sha256(Buffer.from(`body ${index}`)));
    expect(origin.uploads).toBe(1);
    client[Symbol.dispose]();
  };
  return { done: finish() };
}

function inFlight(server: TestEdge): number {
  return server.edge.stats().reduce((sum, stats) => sum + stats.inFlight, 0);
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

async function startWorld(): Promise<{
  origin: BusyOrigin;
  server: TestEdge;
  agents: TestAgent[];
  dispose(): Promise<void>;
}> {
  const origin = await startBusyOrigin();
  const websockets = await startWebSocketOrigin();
  const server = await startTestEdge();
  const http = await startTestAgent(server.edge.ports, 'app.test', origin.target);
  const ws = await startTestAgent(server.edge.ports, 'ws.test', websockets.target);
  const all: AsyncDisposable[] = [http, ws, server, origin, websockets];
  const dispose = async (): Promise<void> => {
    for (const one of all) await one[Symbol.asyncDispose]();
  };
  return { origin, server, agents: [http, ws], dispose };
}

describe('an edge that drains', () => {
  it('T5 loses nothing that is in flight: GETs, POSTs, a download, an upload and a WebSocket', async () => {
    const { origin, server, agents, dispose } = await startWorld();
    const { proxy, grpc, tunnel } = server.edge.ports;
    const { done } = await beginWork(proxy, origin, server);
    const drained = server.edge.drain(20_000);
    expect(await Promise.all([grpc, tunnel].map(isRefused))).toEqual([true, true]);
    // Clients that have connected are accepted first.
    await eventually('no new client', () => isRefused(proxy));
    await done;
    using clock = new RunningClock();
    await drained;
    // Nothing is left to wait for but the farewell to clients and agents.
    expect(clock.ranMs).toBeLessThan(4000);
    expect(server.edge.stats().map(({ errors, inFlight }) => [errors, inFlight])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    for (const agent of agents) await agent.event('reconnecting', ({ error }) => error.code === 'GIR_ERR_DRAINING');
    await dispose();
  });

  it('T5 under a load of keep-alive clients, each request gets its answer or a refused connection', async () => {
    const { server, dispose } = await startWorld();
    const load = startLoad(server.edge.ports.proxy, { method: 'POST', body: 'x', clients: 20 });
    await load.more(200);
    const drained = server.edge.drain(10_000);
    const stopped = load.stop();
    await Promise.all([drained, stopped]);
    const { requests, responses, errors } = server.edge.stats()[0] ?? expect.fail('no figures');
    expect(errors).toBe(0);
    expect(responses).toBe(requests);
    expect(load.succeeded).toBe(requests);
    await dispose();
  });

  it('T5 ends at its deadline when something does not end', async () => {
    await using websockets = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'ws.test', websockets.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/', { host: 'ws.test' });
    socket.on('error', () => {});
    const closed = closing(socket);
    using clock = new RunningClock();
    await server.edge.drain(300);
    expect(clock.ranMs).toBeLessThan(3000);
    expect((await closed).code).toBe(1006);
    await eventually('the origin is left alone', () => websockets.open === 0);
  });

  it('T5 with nothing in flight is done at once, idle clients and all', async () => {
    const { server, dispose } = await startWorld();
    const client = new HttpClient(server.edge.ports.proxy, 'app.test');
    await client.get('/');
    using clock = new RunningClock();
    await server.edge.drain(20_000);
    expect(clock.ranMs).toBeLessThan(3000);
    client[Symbol.dispose]();
    await dispose();
  });

  it('T5 hands over: an agent serves another edge while the old one drains', async () => {
    await using origin = await startBusyOrigin();
    const old = await startTestEdge({}, { grpc: { host: fixedHost, port: 0 }, tunnel: { host: fixedHost, port: 0 } });
    const { grpc, tunnel } = old.edge.ports;
    await using agent = await startTestAgent(old.edge.ports, 'app.test', origin.target, {
      server: { host: fixedHost, grpcPort: grpc, tunnelPort: tunnel },
    });
    using client = new HttpClient(old.edge.ports.proxy, 'app.test');
    const downloading = client.get('/download');
    await eventually('the download runs', () => inFlight(old) === 1);
    const drained = old.edge.drain(20_000);
    await using next = await startTestEdge(
      {},
      {
        grpc: { host: fixedHost, port: grpc },
        tunnel: { host: fixedHost, port: tunnel },
      },
    );
    await eventually(
      'the agent serves the new edge',
      () => agent.events.filter(({ type }) => type === 'ready').length === 2,
    );
    expect(inFlight(old)).toBe(1);
    origin.release();
    using nextClient = new HttpClient(next.edge.ports.proxy, 'app.test');
    expect((await nextClient.get('/')).status).toBe(200);
    expect(sha256((await downloading).body)).toBe(sha256(download));
    await drained;
    await old[Symbol.asyncDispose]();
  });
});

describe('an agent that drains', () => {
  it('T5 loses nothing that is in flight: GETs, POSTs, a download, an upload and a WebSocket', async () => {
    const { origin, server, agents, dispose } = await startWorld();
    const { done } = await beginWork(server.edge.ports.proxy, origin, server);
    const drained = Promise.all(agents.map(({ agent }) => agent.drain(20_000)));
    await done;
    await drained;
    await eventually('the sessions are gone', () => server.edge.stats().every(({ sessions }) => sessions === 0));
    expect(server.edge.stats().map(({ errors, inFlight }) => [errors, inFlight])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    for (const { agent } of agents) expect(await agent.closed).toBeUndefined();
    await dispose();
  });

  it('T5 one of two under load, again and again: not even a POST fails', async () => {
    await using origin = await startBusyOrigin();
    await using server = await startTestEdge();
    await using _stays = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const gets = startLoad(server.edge.ports.proxy, { clients: 10 });
    const posts = startLoad(server.edge.ports.proxy, { clients: 10, method: 'POST', body: 'pizza', path: '/upload' });
    for (let round = 0; round < 5; round += 1) {
      await using leaves = await startTestAgent(server.edge.ports, 'app.test', origin.target);
      await posts.more(50);
      await leaves.agent.drain(5000);
    }
    await Promise.all([gets.stop(), posts.stop()]);
    expect([...gets.failures, ...posts.failures]).toEqual([]);
    expect(origin.uploads).toBe(posts.succeeded);
    await eventually('one is left', () => server.edge.stats()[0]?.sessions === 1);
    expect(server.edge.stats()[0]).toMatchObject({ errors: 0, inFlight: 0 });
  });

  it('T5 the only one, replaced by the next: requests wait for it and none fails', async () => {
    await using origin = await startBusyOrigin();
    await using server = await startTestEdge({ reconnectGraceMs: 10_000 });
    let agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const posts = startLoad(server.edge.ports.proxy, { method: 'POST', body: 'pizza', path: '/upload' });
    for (let round = 0; round < 5; round += 1) {
      await posts.more(50);
      await agent.agent.drain(5000);
      agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    }
    await posts.stop();
    expect(posts.failures).toEqual([]);
    expect(origin.uploads).toBe(posts.succeeded);
    await agent[Symbol.asyncDispose]();
  });

  it('T5 ends at its deadline when something does not end', async () => {
    await using websockets = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using agent = await startTestAgent(server.edge.ports, 'ws.test', websockets.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/', { host: 'ws.test' });
    socket.on('error', () => {});
    const closed = closing(socket);
    await agent.agent.drain(300);
    expect((await closed).code).toBe(1006);
    await eventually('the origin is left alone', () => websockets.open === 0);
    await eventually('the session is gone', () => server.edge.stats()[0]?.sessions === 0);
  });

  it('T5 is told to while it reconnects: it stops trying', async () => {
    const gone = await startTestEdge();
    const { ports } = gone.edge;
    await gone[Symbol.asyncDispose]();
    await using agent = await startTestAgent(ports, 'app.test', '127.0.0.1:1', { waits: false });
    await agent.event('reconnecting');
    await agent.agent.drain(5000);
    expect(await agent.agent.closed).toBeUndefined();
    await expect(agent.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CANCELLED' });
  });
});
