/** How the edge tells an agent that left from one that was lost. */
import { describe, expect, it } from 'vitest';
import type { EdgeEvent } from '../../src/edge/edge-events.ts';
import { eventually } from '../support/eventually.ts';
import { connectForgedGrpc, connectForgedTls, helloFrame, ticketFor, wire } from '../support/forged-carrier.ts';
import { HttpClient } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { rawFrame } from '../support/raw-frames.ts';
import { stopReading } from '../support/stop-reading.ts';
import { type LogLine, startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const startOrigin = () => startHttpOrigin((_request, response) => void response.end('x'));

/** Returns the events of sessions that end, as they come. */
function endingsOf({ edge }: TestEdge): EdgeEvent[] {
  const events: EdgeEvent[] = [];
  edge.subscribe((event) => void (event.type === 'session-closed' && events.push(event)));
  return events;
}

/** Returns what the log says of ends, of sessions and of their carriers, without what differs each time. */
function endLines(server: TestEdge): object[] {
  const told = (message: string): boolean => /^(carrier|session) closed$|^session lost$|^agent left$/.test(message);
  return server.log
    .filter(({ message }) => told(message))
    .map(({ level, message, reason }: LogLine) => ({ level, message, ...(reason === undefined ? {} : { reason }) }));
}

function closedByReason({ edge }: TestEdge): object[] | undefined {
  const metric = edge.snapshot().metrics.find(({ name }) => name === 'giraffe_sessions_closed_total');
  return metric?.samples.map(({ labels, ...sample }) => ({ ...labels, ...sample }));
}

describe('a session that ends', () => {
  it.each([
    ['auto', ['carrier closed', 'carrier closed', 'agent left']],
    ['grpc', ['carrier closed', 'agent left']],
    ['tcp', ['carrier closed', 'agent left']],
  ] as const)(
    'T5 because its agent drains (transport %s) is an agent that left, and no error',
    async (transport, told) => {
      await using origin = await startOrigin();
      await using server = await startTestEdge();
      const endings = endingsOf(server);
      await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { transport });
      using client = new HttpClient(server.edge.ports.proxy, 'app.test');
      expect((await client.get('/')).status).toBe(200);
      await agent.agent.drain(5000);
      await eventually('the end of the session', () => endings.length > 0);
      expect(endings).toEqual([
        expect.objectContaining({ type: 'session-closed', domains: ['app.test'], code: undefined }),
      ]);
      expect(endLines(server)).toEqual(told.map((message) => ({ level: 'info', message })));
      expect(closedByReason(server)).toEqual([{ reason: 'left', value: 1 }]);
      expect(server.edge.overview().totals.sessionsClosed).toEqual({ left: 1 });
    },
  );

  it('T5 because its agent drains and does not wait for what is in flight is an agent that left', async () => {
    await using origin = await startHttpOrigin(() => {});
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    const endings = endingsOf(server);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    using client = new HttpClient(server.edge.ports.proxy, 'app.test');
    const answer = client.get('/');
    await eventually('it is in flight', () => server.edge.stats()[0]?.inFlight === 1);
    await agent.agent.drain(0);
    expect((await answer).status).toBe(502);
    await eventually('the end of the session', () => endings.length > 0);
    expect(endings).toEqual([expect.objectContaining({ code: undefined })]);
  });

  it('T3 because its connections broke is a loss', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    const endings = endingsOf(server);
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    links.both('refuse');
    links.both('cut');
    await eventually('the end of the session', () => endings.length > 0);
    expect(endings).toEqual([expect.objectContaining({ code: 'GIR_ERR_SESSION_LOST' })]);
    const reason = 'GIR_ERR_SESSION_LOST';
    expect(endLines(server)).toEqual([
      { level: 'info', message: 'carrier closed', reason },
      { level: 'info', message: 'carrier closed', reason },
      { level: 'warn', message: 'session lost', reason },
    ]);
    expect(closedByReason(server)).toEqual([{ reason, value: 1 }]);
    // What clients are told of a loss speaks of their request, and here was none.
    expect(JSON.stringify(server.log)).not.toContain('while the request was in flight');
  });

  it("T3 because its gRPC connection was reset while Node's HTTP/2 had stopped reading is a loss", async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    const endings = endingsOf(server);
    const options = { server: links.server, transport: 'grpc' } as const;
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, options);
    stopReading(({ localPort }) => localPort === server.edge.ports.grpc);
    links.grpc.refuse();
    links.grpc.cut();
    await eventually('the end of the session', () => endings.length > 0);
    expect(endings).toEqual([expect.objectContaining({ code: 'GIR_ERR_SESSION_LOST' })]);
  });

  it("T3 is a loss for its agent, too, though Node's HTTP/2 had stopped reading", async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge();
    await using links = await startLinks(server.edge.ports);
    const { host, grpcPort } = links.server;
    const options = { server: links.server, transport: 'grpc' } as const;
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, options);
    stopReading(({ remoteAddress, remotePort }) => remoteAddress === host && remotePort === grpcPort);
    links.grpc.cut();
    await eventually('the agent notices', () => agent.events.some(({ type }) => type === 'reconnecting'));
  });

  it('T3 while its agent still drains is a loss', async () => {
    await using server = await startTestEdge();
    const endings = endingsOf(server);
    using carrier = await connectForgedTls(server.edge.ports.tunnel);
    carrier.send(helloFrame());
    await carrier.frame(wire.welcome);
    carrier.send(rawFrame(wire.goAway, 0, 0, 'GIR_ERR_DRAINING'));
    await carrier.frame(wire.goAway);
    carrier.destroy();
    await eventually('the end of the session', () => endings.length > 0);
    expect(endings).toEqual([expect.objectContaining({ code: 'GIR_ERR_SESSION_LOST' })]);
  });

  it('S3 by the operator or by the edge that ends has its reason', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge();
    const endings = endingsOf(server);
    await using _first = await startTestAgent(server.edge.ports, 'a.test', origin.target);
    server.edge.disconnect('a.test');
    await eventually('the end of the session', () => endings.length === 1);
    await using _second = await startTestAgent(server.edge.ports, 'b.test', origin.target);
    await server.edge[Symbol.asyncDispose]();
    await eventually('the end of the other one', () => endings.length === 2);
    const codes = ['GIR_ERR_DISCONNECTED', 'GIR_ERR_DRAINING'];
    expect(endings).toEqual(codes.map((code) => expect.objectContaining({ code })));
    expect(endLines(server).filter((line) => 'message' in line && line.message !== 'carrier closed')).toEqual(
      codes.map((reason) => ({ level: 'info', message: 'session closed', reason })),
    );
  });
});

describe('an agent that gives up one carrier', () => {
  it('S9 serves on over the other one: only an agent that drains wants no more exchanges', async () => {
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    using grpc = await connectForgedGrpc(server.edge.ports.grpc);
    grpc.send(helloFrame());
    await grpc.frame(wire.welcome);
    using tls = await connectForgedTls(server.edge.ports.tunnel);
    tls.send(helloFrame({ ticket: await ticketFor(grpc) }));
    await tls.frame(wire.welcome);
    grpc.send(rawFrame(wire.goAway, 0, 0, 'GIR_ERR_PROTOCOL'));
    await grpc.closed;
    using client = new HttpClient(server.edge.ports.proxy, 'forged.test');
    void client.get('/').catch(() => {});
    await tls.frame(wire.head);
    expect(server.log.filter(({ message }) => message === 'carrier closed')).toMatchObject([
      { carrier: 'grpc', reason: 'GIR_ERR_SESSION_LOST', detail: 'the agent gave it up: GIR_ERR_PROTOCOL' },
    ]);
  });
});
