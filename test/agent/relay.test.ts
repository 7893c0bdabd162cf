import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { AgentBench, type EdgeExchange, endpoint, type OriginPeer, ScriptedOrigin } from './agent-bench.ts';

const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: 1\r\n\r\n';

/** Opens a relay and brings it to its 101, with `rest` sent by the origin in the same write. */
async function openRelay(bench: AgentBench, origin: ScriptedOrigin, rest = ''): Promise<[EdgeExchange, OriginPeer]> {
  const exchange = bench.open({ upgrade: 'websocket' });
  const peer = await origin.connection(origin.connections.length);
  await peer.request();
  peer.send(switching + rest);
  await exchange.until(() => exchange.head !== undefined, 'a head');
  return [exchange, peer];
}

describe('an upgrade', () => {
  it('asks the origin for the protocol, on a connection of its own, and hands its 101 on with Upgrade', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const fields = [
      ['Host', endpoint],
      ['Sec-WebSocket-Key', 'a'],
      ['TE', 'trailers'],
    ] as const;
    const exchange = bench.open({ upgrade: 'foo/2, WebSocket', fields });
    const peer = await origin.connection();
    expect(await peer.request()).toBe(
      `GET / HTTP/1.1\r\nHost: ${endpoint}\r\nSec-WebSocket-Key: a\r\nTE: trailers\r\n` +
        'Upgrade: foo/2, WebSocket\r\nConnection: Upgrade, TE\r\n\r\n',
    );
    peer.send(switching);
    await exchange.until(() => exchange.head !== undefined, 'a head');
    expect(exchange.head).toMatchObject({
      status: 101,
      fields: [
        ['Upgrade', 'websocket'],
        ['X-A', '1'],
      ],
    });
  });

  it('loses no octet that comes together with the 101', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin, 'first');
    await exchange.until(() => exchange.body === 'first', 'the first octets');
    exchange.stream?.sendData(Buffer.from('ping'));
    await peer.until('ping');
    peer.send(' pong');
    await exchange.until(() => exchange.body === 'first pong', 'an answer');
  });

  it('passes a half-close from the client on, and what the origin says after it', async () => {
    await using origin = await ScriptedOrigin.listen({ allowHalfOpen: true });
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin);
    exchange.stream?.sendData(Buffer.from('last words'));
    exchange.stream?.sendEnd();
    await peer.ended();
    expect(peer.text).toBe('last words');
    peer.socket.end('answer');
    expect((await exchange.answered()).body).toBe('answer');
    await peer.closed();
    expect(bench.agent.streams).toBe(0);
    expect(bench.events).toEqual([expect.objectContaining({ type: 'request', status: 101, code: undefined })]);
  });

  it('passes a half-close from the origin on, and what the client says after it', async () => {
    await using origin = await ScriptedOrigin.listen({ allowHalfOpen: true });
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin);
    peer.socket.end('bye');
    expect((await exchange.answered()).body).toBe('bye');
    exchange.stream?.sendData(Buffer.from('still here'));
    exchange.stream?.sendEnd();
    await peer.until('still here');
    await peer.closed();
  });

  it('delivers what the origin said before it closed, however slow the client reads', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin);
    exchange.reads = false;
    const bytes = 3 * 1024 * 1024;
    peer.socket.end(Buffer.alloc(bytes));
    await exchange.until(() => exchange.bodyBytes === 1024 * 1024, 'a full window');
    // The origin is gone for whoever writes to it now.
    exchange.stream?.sendData(Buffer.from('too late'));
    exchange.read();
    await exchange.answered();
    expect(exchange.bodyBytes).toBe(bytes);
  });

  it('breaks the relay when the origin breaks it', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin);
    peer.socket.resetAndDestroy();
    expect(await exchange.failed()).toBe('GIR_ERR_RESPONSE_INCOMPLETE');
    expect(bench.agent.streams).toBe(0);
  });

  it('closes the connection to the origin when the edge gives the relay up', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin);
    exchange.stream?.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    await peer.closed();
    expect(bench.events).toEqual([
      expect.objectContaining({ type: 'request', status: 101, code: 'GIR_ERR_CANCELLED' }),
    ]);
  });

  it('delivers another answer as the ordinary response that it is', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open({ upgrade: 'websocket' });
    const peer = await origin.connection();
    await peer.request();
    peer.send('HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 4\r\n\r\nnope');
    await exchange.answered();
    expect(exchange.head?.status).toBe(426);
    expect(exchange.body).toBe('nope');
  });

  it.each([
    ['to something that was not offered', 'HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n'],
    ['without saying to what', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ])('fails when the origin switches %s', async (_how, answer) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open({ upgrade: 'websocket' });
    const peer = await origin.connection();
    await peer.request();
    peer.send(answer);
    expect(await exchange.failed()).toBe('GIR_ERR_UPGRADE_FAILED');
    await peer.closed();
  });

  it('holds little in either direction when the other side does not read', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const [exchange, peer] = await openRelay(bench, origin);
    const bytes = 32 * 1024 * 1024;
    exchange.reads = false;
    peer.socket.pause();
    peer.socket.write(Buffer.alloc(bytes));
    exchange.stream?.sendData(Buffer.alloc(bytes));
    await exchange.until(() => exchange.bodyBytes === 1024 * 1024, 'a full window');
    const [small, other] = await openRelay(bench, origin, 'small');
    await small.until(() => small.body === 'small', 'a small relay beside it');
    other.socket.destroy();
    expect(peer.socket.writableLength).toBeGreaterThan(bytes / 2);
    expect(exchange.stream?.outbound.queuedBytes).toBeGreaterThan(bytes / 2);
    exchange.read();
    peer.socket.resume();
    await peer.received(bytes);
    await exchange.until(() => exchange.bodyBytes === bytes, 'everything');
  });

  it('leaves nothing behind, however relays end', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    for (let turn = 0; turn < 25; turn += 1) {
      for (const end of ['origin', 'reset', 'client', 'edge'] as const) {
        const [exchange, peer] = await openRelay(bench, origin);
        if (end === 'origin') peer.socket.end();
        else if (end === 'reset') peer.socket.resetAndDestroy();
        else if (end === 'edge') exchange.stream?.reset(new GiraffeError('GIR_ERR_CANCELLED'));
        if (end === 'origin' || end === 'client') exchange.stream?.sendEnd();
        await peer.closed();
      }
    }
    const bystander = bench.open();
    const peer = await origin.connection(100);
    await peer.request();
    peer.send('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    await bystander.answered();
    expect(bench.acceptor.originConnections).toBe(0);
    expect(bench.agent.streams).toBe(0);
    expect(bench.pool.freeBytes).toBe(64 * 1024 * 1024);
    expect(bench.events).toHaveLength(101);
  });
});
