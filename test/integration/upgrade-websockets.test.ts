/** W2, W3: real WebSockets through the tunnel: many, large, long, and closed for a reason. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { resourceCount } from '../support/resources.ts';
import { sha256 } from '../support/sha256.ts';
import {
  closing,
  echoMessages,
  nextMessage,
  openWebSocket,
  startWebSocketOrigin,
} from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

describe('many', () => {
  it('W2 1,000 WebSockets at once, a message each way on every one, and all close', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const port = server.edge.ports.proxy;
    const indexes = [...Array(1000).keys()];
    const sockets = await Promise.all(indexes.map((index) => openWebSocket(port, `/chat/${index}`)));
    expect(server.edge.stats()[0]).toMatchObject({ inFlight: 1000, errors: 0 });
    const answers = sockets.map(nextMessage);
    for (const [index, socket] of sockets.entries()) socket.send(`message ${index}`);
    expect((await Promise.all(answers)).map(String)).toEqual(indexes.map((index) => `message ${index}`));
    const closed = sockets.map(closing);
    for (const socket of sockets) socket.close(1000, 'done');
    expect(new Set((await Promise.all(closed)).map(({ code, reason }) => `${code} ${reason}`))).toEqual(
      new Set(['1000 done']),
    );
    await eventually('all relays have ended', () => server.edge.stats()[0]?.inFlight === 0);
    expect(server.edge.stats()[0]).toMatchObject({ requests: 1000, responses: 1000, errors: 0 });
    expect(server.edge.stats()[0]?.transports).toEqual({ grpc: 0, tcp: 1000, upgrades: 1000 });
  });

  it('W2 more WebSockets than places for exchanges: they do not count as exchanges', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge({ maxStreams: 5 });
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const port = server.edge.ports.proxy;
    const sockets = await Promise.all([...Array(50).keys()].map(() => openWebSocket(port)));
    using client = new HttpClient(port, 'app.test');
    expect((await client.get('/')).text).toBe('plain');
    for (const socket of sockets) socket.terminate();
  });

  it('hardening 13: a WebSocket costs the edge one handle and the agent one', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const port = server.edge.ports.proxy;
    await openWebSocket(port).then((socket) => socket.terminate());
    await eventually('the first one is gone', () => origin.open === 0);
    const before = resourceCount('TCPSocketWrap');
    const timersBefore = resourceCount('Timeout');
    const sockets = await Promise.all([...Array(100).keys()].map(() => openWebSocket(port)));
    // Client, edge, agent and origin are all in this process.
    expect(resourceCount('TCPSocketWrap') - before).toBe(400);
    expect(resourceCount('Timeout') - timersBefore).toBeLessThan(10);
    for (const socket of sockets) socket.terminate();
  });
});

describe('large', () => {
  it('W2 100 MB come back as one binary message with the same hash', async () => {
    await using origin = await startWebSocketOrigin(echoMessages, {
      maxPayload: 200_000_000,
      perMessageDeflate: false,
    });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/', {
      maxPayload: 200_000_000,
      perMessageDeflate: false,
    });
    const sent = randomBytes(100_000_000);
    const answer = nextMessage(socket);
    socket.send(sent);
    expect(sha256(await answer)).toBe(sha256(sent));
    socket.terminate();
  });

  it('W2 500 messages of 64 KiB each way at once do not block each other and keep their order', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/', { perMessageDeflate: false });
    const received: number[] = [];
    socket.on('message', (data: Buffer) => received.push(data.readUInt32BE()));
    for (let index = 0; index < 500; index += 1) {
      const message = Buffer.alloc(64 * 1024);
      message.writeUInt32BE(index);
      socket.send(message);
    }
    await eventually('all came back', () => received.length === 500, 30_000);
    expect(received).toEqual([...Array(500).keys()]);
    socket.terminate();
  });
});

describe('long', () => {
  /** No limit of HTTP may end a relay; each of these would within the time that the test takes. */
  const shortLimits = {
    requestTimeoutMs: 1000,
    headTimeoutMs: 1000,
    bodyIdleTimeoutMs: 1000,
    keepAliveTimeoutMs: 1000,
    handshakeTimeoutMs: 1000,
    reconnectGraceMs: 200,
    keepAliveMs: 200,
  };

  it('W2 an idle WebSocket outlives every time limit of HTTP, with pings and without', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge(shortLimits);
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const silent = await openWebSocket(server.edge.ports.proxy);
    const pinging = await openWebSocket(server.edge.ports.proxy);
    for (let ping = 0; ping < 20; ping += 1) {
      const pong = once(pinging, 'pong');
      pinging.ping(`${ping}`);
      expect(String((await pong)[0])).toBe(`${ping}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(silent.readyState).toBe(WebSocket.OPEN);
    const answer = nextMessage(silent);
    silent.send('still there');
    expect(String(await answer)).toBe('still there');
    silent.terminate();
    pinging.terminate();
  });

  it('W2 pings of the origin reach the client, and its pongs the origin', async () => {
    await using origin = await startWebSocketOrigin((socket) => {
      socket.on('pong', (data) => socket.send(`pong ${data}`));
      socket.ping('are you there');
    });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const socket = await openWebSocket(server.edge.ports.proxy);
    expect(String(await nextMessage(socket))).toBe('pong are you there');
    socket.terminate();
  });
});

describe('what was agreed', () => {
  it.each([
    [1000, 'bye'],
    [1001, ''],
    [1011, 'broken inside'],
    [3000, 'registered'],
    [4999, 'ünïcödé äuch'],
  ])('W2 code %i "%s" passes in both directions', async (code, reason) => {
    const seen: { code: number; reason: string }[] = [];
    await using origin = await startWebSocketOrigin((socket) => {
      socket.on('close', (heardCode, heardReason) => seen.push({ code: heardCode, reason: heardReason.toString() }));
      socket.on('message', () => socket.close(code, reason));
    });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const byClient = await openWebSocket(server.edge.ports.proxy);
    const closed = closing(byClient);
    byClient.close(code, reason);
    expect(await closed).toEqual({ code, reason });
    const byOrigin = await openWebSocket(server.edge.ports.proxy);
    byOrigin.send('close me');
    expect(await closing(byOrigin)).toEqual({ code, reason });
    await eventually('the origin has heard both', () => seen.length === 2);
    expect(seen).toEqual([
      { code, reason },
      { code, reason },
    ]);
  });

  it('W2 a WebSocket without a closing handshake is 1006 at both ends', async () => {
    const seen: number[] = [];
    await using origin = await startWebSocketOrigin((socket) => {
      socket.on('close', (code) => seen.push(code));
      socket.on('message', () => socket.terminate());
    });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const byClient = await openWebSocket(server.edge.ports.proxy);
    byClient.terminate();
    await eventually('the origin has heard it', () => seen.length === 1);
    const byOrigin = await openWebSocket(server.edge.ports.proxy);
    byOrigin.send('drop me');
    expect((await closing(byOrigin)).code).toBe(1006);
    expect(seen).toEqual([1006, 1006]);
  });

  it('W3 permessage-deflate is negotiated end to end', async () => {
    await using origin = await startWebSocketOrigin(echoMessages, { perMessageDeflate: { threshold: 0 } });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/static/app.js', {
      perMessageDeflate: { threshold: 0 },
    });
    expect(socket.extensions).toContain('permessage-deflate');
    const text = 'compressible '.repeat(20_000);
    const answer = nextMessage(socket);
    socket.send(text);
    expect(String(await answer)).toBe(text);
    socket.terminate();
  });

  it('W3 the subprotocol is the one that the origin chose', async () => {
    const handleProtocols = (offered: Set<string>): string | false => (offered.has('second.v2') ? 'second.v2' : false);
    await using origin = await startWebSocketOrigin(echoMessages, { handleProtocols });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/', { protocols: ['first', 'second.v2'] });
    expect(socket.protocol).toBe('second.v2');
    socket.terminate();
  });

  it('W3 an origin that refuses the handshake is heard with its status and body', async () => {
    await using origin = await startWebSocketOrigin(echoMessages, {
      verifyClient: (_info, decide) => decide(false, 401, 'not you', { 'X-Why': 'because' }),
    });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    const socket = new WebSocket(`ws://127.0.0.1:${server.edge.ports.proxy}/`, { headers: { Host: 'app.test' } });
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(401);
    expect(response.headers['x-why']).toBe('because');
    response.setEncoding('utf8');
    expect((await response.toArray()).join('')).toBe('not you');
  });

  it('W3 a WebSocket of an agent without the TCP tunnel goes over gRPC', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { transport: 'grpc' });
    const socket = await openWebSocket(server.edge.ports.proxy);
    const answer = nextMessage(socket);
    socket.send('hello');
    expect(String(await answer)).toBe('hello');
    const closed = closing(socket);
    socket.close(1000);
    await closed;
    await eventually('the relay has ended', () => server.edge.stats()[0]?.inFlight === 0);
    expect(server.edge.stats()[0]?.transports).toEqual({ grpc: 1, tcp: 0, upgrades: 1 });
  });
});
