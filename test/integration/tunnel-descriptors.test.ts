/** Hardening 13: file descriptors: how many a WebSocket costs, and an edge that has run out of them. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { EdgePorts } from '../../src/edge/edge-options.ts';
import { listen } from '../../src/edge/listen.ts';
import type { AgentSettings } from '../support/agent-process.ts';
import type { EdgeSettings } from '../support/edge-process.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { startScript } from '../support/script-process.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { recordingLogger, startTestAgent } from '../support/world.ts';

/** Opens connections without waiting for anything; whatever becomes of them is fine. */
function flood(port: number, connections: number, firstBytes: string): Socket[] {
  return Array.from({ length: connections }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.on('data', () => {});
    if (firstBytes !== '') socket.write(firstBytes);
    return socket;
  });
}

describe('file descriptors', () => {
  it('hardening 13: a port that cannot accept says so once a second, and throws at nobody', async () => {
    const { logger, lines } = recordingLogger();
    const server = createServer();
    await listen(server, { host: '127.0.0.1', port: 0 }, logger);
    for (let index = 0; index < 1000; index += 1) server.emit('error', new Error('accept EMFILE'));
    expect(lines).toEqual([{ level: 'error', message: 'cannot accept a connection', err: new Error('accept EMFILE') }]);
    server.close();
  });

  it('hardening 13: 100 WebSockets cost the edge process 100 handles, and the agent process 100', async () => {
    const certificate = await testCertificate();
    await using origin = await startWebSocketOrigin();
    await using edge = await startScript<EdgePorts>('edge-process', {
      options: { certificate },
    } satisfies EdgeSettings);
    const settings: AgentSettings = {
      ports: edge.ready,
      domain: 'app.test',
      target: origin.target,
      options: { trust: { kind: 'ca', pem: certificate.caPem } },
    };
    await using agent = await startScript<'ready'>('agent-process', settings);
    const handles = async (): Promise<number[]> => [
      Number(await edge.ask('handles')),
      Number(await agent.ask('handles')),
    ];
    const [edgeBefore = 0, agentBefore = 0] = await handles();
    const sockets = await Promise.all(Array.from({ length: 100 }, () => openWebSocket(edge.ready.proxy)));
    expect(await handles()).toEqual([edgeBefore + 100, agentBefore + 100]);
    for (const socket of sockets) socket.terminate();
    await eventually('all are given back', async () => {
      const [edgeNow = 0, agentNow = 0] = await handles();
      return edgeNow === edgeBefore && agentNow === agentBefore;
    });
  });

  it.each(['grpc', 'tcp'] as const)(
    'hardening 13: an agent over %s that stands still in mid-upload leaves no connection behind once it is given up',
    async (transport) => {
      const certificate = await testCertificate();
      await using origin = await startHttpOrigin((request) => void request.resume());
      await using edge = await startScript<EdgePorts>('edge-process', {
        limits: { keepAliveMs: 300, reconnectGraceMs: 0 },
        options: { certificate },
      } satisfies EdgeSettings);
      const trust = { kind: 'ca', pem: certificate.caPem } as const;
      const settings: AgentSettings = {
        ports: edge.ready,
        domain: 'app.test',
        target: origin.target,
        options: { trust, transport },
      };
      await using agent = await startScript<'ready'>('agent-process', settings);
      const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000000\r\n\r\n';
      const clients = flood(edge.ready.proxy, 100, head);
      // Not before the agent stands still: a busy one may miss its pings.
      await eventually('all have begun', () => origin.open.size === 100, 30_000);
      agent.freeze();
      // What the edge writes to it from now on fills the system's buffers and stays there.
      const piece = Buffer.alloc(64 * 1024);
      for (const socket of clients) {
        const pour = (): void => {
          while (!socket.destroyed && socket.write(piece));
        };
        socket.on('drain', pour);
        pour();
      }
      const sessions = async (): Promise<unknown> => ((await edge.ask('stats')) as { sessions: number }[])[0]?.sessions;
      await eventually('it is given up', async () => (await sessions()) === 0);
      for (const socket of clients) socket.destroy();
      await eventually('no connection is left', async () => (await edge.ask('handles')) === 0);
    },
  );

  it('hardening 13: an edge out of descriptors goes on with what it has, refuses the rest, and recovers by itself', async () => {
    const certificate = await testCertificate();
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    await using edge = await startScript<EdgePorts>(
      'edge-process',
      {
        limits: { headTimeoutMs: 60_000, handshakeTimeoutMs: 60_000 },
        options: { certificate },
      } satisfies EdgeSettings,
      { maxFiles: 256 },
    );
    const { proxy, grpc, tunnel } = edge.ready;
    await using agent = await startTestAgent(edge.ready, 'app.test', origin.target);
    using client = new HttpClient(proxy, 'app.test', { maxSockets: 1 });
    expect((await client.get('/')).text).toBe('ok');

    const halfHead = 'GET / HTTP/1.1\r\nHost: app.test\r\n';
    const sockets = [...flood(proxy, 600, halfHead), ...flood(tunnel, 200, ''), ...flood(grpc, 200, '')];
    await eventually('some are turned away', () => sockets.filter(({ destroyed }) => destroyed).length > 100);
    // The connection that was there before still serves, and so does the session behind it.
    for (let index = 0; index < 20; index += 1) expect((await client.get('/')).text).toBe('ok');
    // More of them, for as long as nothing is free: accepting fails in a row, on each port.
    for (let round = 0; round < 5; round += 1) {
      const more = [...flood(proxy, 50, halfHead), ...flood(tunnel, 50, ''), ...flood(grpc, 50, '')];
      await Promise.all(more.map((socket) => once(socket, 'close').catch(() => {}))).catch(() => {});
    }
    expect([edge.child.exitCode, edge.child.signalCode]).toEqual([null, null]);
    expect(agent.events.filter(({ type }) => type === 'reconnecting')).toEqual([]);

    for (const socket of sockets) socket.destroy();
    await eventually('new clients are served again', async () => {
      using next = new HttpClient(proxy, 'app.test');
      return await next.get('/').then(
        ({ text }) => text === 'ok',
        () => false,
      );
    });
    await using _another = await startTestAgent(edge.ready, 'other.test', origin.target);
    expect(edge.errors).toBe('');
  });

  it('hardening 13: an edge that is full says so: 503 to the first ones above the limit, and closes', async () => {
    const certificate = await testCertificate();
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    await using edge = await startScript<EdgePorts>('edge-process', {
      limits: { maxConnections: 20, headTimeoutMs: 60_000 },
      options: { certificate },
    } satisfies EdgeSettings);
    await using _agent = await startTestAgent(edge.ready, 'app.test', origin.target);
    const idle = flood(edge.ready.proxy, 20, 'GET / HTTP/1.1\r\n');
    using client = new HttpClient(edge.ready.proxy, 'app.test');
    await eventually('the next one is refused', async () => (await client.get('/')).status === 503);
    for (const socket of idle) socket.destroy();
    await eventually('there is room again', async () => (await client.get('/')).status === 200);
  });
});
