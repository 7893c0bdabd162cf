import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AgentBench, type OriginPeer, ScriptedOrigin } from './agent-bench.ts';

/** Lets the clock stand still at a whole millisecond, so that sums stay exact; returns how to move it, in milliseconds. */
function stopClock(): (ms: number) => void {
  let nowMs = Math.ceil(performance.now());
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  return (ms) => {
    nowMs += ms;
  };
}

/** Answers the next request on a connection, and waits for the answer at the edge. */
async function serve(bench: AgentBench, peer: Promise<OriginPeer>, method: string, hint = ''): Promise<void> {
  const exchange = bench.open({ method });
  const connection = await peer;
  await connection.request();
  connection.send(`HTTP/1.1 200 OK\r\n${hint}Content-Length: 0\r\n\r\n`);
  await exchange.answered();
}

describe('a pool of connections to an origin', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('trusts an idle connection for less than a second without a hint', async () => {
    const advance = stopClock();
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    await serve(bench, origin.connection(0), 'GET');
    advance(999);
    await serve(bench, origin.connection(0), 'GET');
    advance(1000);
    await serve(bench, origin.connection(1), 'GET');
    await (await origin.connection(0)).closed();
  });

  it('follows a hint for requests that may be sent twice, and keeps the connection for them', async () => {
    const advance = stopClock();
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const hint = 'Keep-Alive: timeout=5\r\n';
    await serve(bench, origin.connection(0), 'GET', hint);
    advance(2000);
    await serve(bench, origin.connection(1), 'POST', hint);
    await serve(bench, origin.connection(1), 'GET', hint);
    advance(3999);
    await serve(bench, origin.connection(1), 'GET', hint);
    expect(origin.connections).toHaveLength(2);
  });

  it('opens a connection for each request in flight, and keeps at most 128 of them', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const count = 140;
    const exchanges = Array.from({ length: count }, () => bench.open());
    const peers = await Promise.all(exchanges.map((_exchange, index) => origin.connection(index)));
    await Promise.all(peers.map((peer) => peer.request()));
    for (const peer of peers) peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    await Promise.all(exchanges.map((exchange) => exchange.answered()));
    expect(bench.acceptor.originConnections).toBe(128);
  });

  it('closes connections that stay idle', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    await serve(bench, origin.connection(0), 'GET');
    const peer = await origin.connection(0);
    await peer.closed();
    expect(bench.acceptor.originConnections).toBe(0);
  });

  it('reaches localhost on whichever loopback address the service listens', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench({ ...origin.target, host: 'localhost' } as typeof origin.target);
    await serve(bench, origin.connection(0), 'GET', 'Connection: close\r\n');
    await serve(bench, origin.connection(1), 'GET');
  });
});
