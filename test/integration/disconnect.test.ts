/** What the operator's word about one endpoint does to an agent of several. */
import { describe, expect, it } from 'vitest';
import type { TransportChoice } from '../../src/agent/agent-options.ts';
import type { EdgeEvent } from '../../src/edge/edge-events.ts';
import { Inspector } from '../../src/inspector/inspector.ts';
import { eventually } from '../support/eventually.ts';
import {
  connectForgedGrpc,
  connectForgedTls,
  helloFrame,
  plainHello,
  ticketFor,
  wire,
} from '../support/forged-carrier.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { storeLimits } from '../support/store-limits.ts';
import { tunnelsTo } from '../support/two-tunnels.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const code = 'GIR_ERR_DISCONNECTED';

/** Returns what happens to sessions, as it comes. */
function sessionEvents({ edge }: TestEdge): EdgeEvent[] {
  const events: EdgeEvent[] = [];
  edge.subscribe((event) => void (/^session-(withdrawn|closed)/.test(event.type) && events.push(event)));
  return events;
}

async function statusOf({ edge }: TestEdge, host: string): Promise<number> {
  using client = new HttpClient(edge.ports.proxy, host);
  return (await client.get('/')).status;
}

describe('disconnecting one endpoint', () => {
  it.each<TransportChoice>(['auto', 'grpc', 'tcp'])(
    'S3 ends that one at once, not what is in flight on it, and nothing else (transport %s)',
    async (transport) => {
      let finish = (): void => {};
      await using origin = await startHttpOrigin((request, response) => {
        if (request.url !== '/slow') return void response.end('x');
        response.write('half');
        finish = () => void response.end(' and half');
      });
      await using server = await startTestEdge({ reconnectGraceMs: 0 });
      const events = sessionEvents(server);
      const options = { transport, ...tunnelsTo(origin.target) };
      await using agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, options);
      using client = new HttpClient(server.edge.ports.proxy, 'a.test');
      const slow = client.open('GET', '/slow');
      slow.outgoing.end();
      const answer = await slow.answer;

      expect(server.edge.disconnect('a.test')).toBe(1);
      expect(await statusOf(server, 'a.test')).toBe(503);
      expect(await statusOf(server, 'b.test')).toBe(200);
      expect(await agent.event('withdrawn')).toMatchObject({ domain: 'a.test', error: { code } });
      finish();
      expect((await readAnswer(answer)).text).toBe('half and half');

      const [session, ...others] = server.edge.sessions();
      expect(others).toEqual([]);
      expect(session).toMatchObject({ domains: ['b.test'], canWithdraw: true });
      expect(server.edge.stats()).toMatchObject([
        { domain: 'b.test', sessions: 1, requests: 1 },
        { domain: 'a.test', sessions: 0, requests: 2, responses: 1, inFlight: 0 },
      ]);
      expect(server.edge.overview().now).toMatchObject({ endpoints: 1, sessions: 1 });
      expect(events).toEqual([
        {
          type: 'session-withdrawn',
          sessionId: session?.sessionId,
          agentId: session?.agentId,
          domain: 'a.test',
          domains: ['b.test'],
          code,
        },
      ]);
      expect(server.log.filter(({ message }) => message.includes('by the operator'))).toMatchObject([
        { level: 'warn', message: 'endpoint disconnected by the operator', domain: 'a.test', domains: ['b.test'] },
      ]);
      // Nobody is asked about it twice, and the last one ends the session.
      expect(server.edge.disconnect('a.test')).toBe(0);
      expect(server.edge.disconnect('b.test')).toBe(1);
      expect(await agent.agent.closed).toMatchObject({ code });
      await eventually('the end of the session', () => events.length === 2);
      expect(events[1]).toMatchObject({ type: 'session-closed', domains: ['b.test'], code });
    },
  );

  it('S3 leaves a relay on it alone', async () => {
    await using origin = await startWebSocketOrigin();
    await using server = await startTestEdge();
    await using agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, tunnelsTo(origin.target));
    const socket = await openWebSocket(server.edge.ports.proxy, '/', { host: 'a.test' });
    server.edge.disconnect('a.test');
    await agent.event('withdrawn');
    const echo = nextMessage(socket);
    socket.send('still there');
    expect(String(await echo)).toContain('still there');
    socket.terminate();
  });

  it('S3 leaves its record in the inspector, and nobody to replay it', async () => {
    await using origin = await startHttpOrigin((_request, response) => void response.end('x'));
    await using server = await startTestEdge();
    const inspector = new Inspector(storeLimits);
    const options = { inspector, ...tunnelsTo(origin.target) };
    await using agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, options);
    await statusOf(server, 'a.test');
    server.edge.disconnect('a.test');
    await agent.event('withdrawn');
    const [record] = inspector.store.list();
    expect(record).toMatchObject({ beginning: { endpoint: 'a.test' } });
    expect(() => inspector.replay(record?.id ?? '', {})).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_REPLAY_REFUSED' }),
    );
  });

  it('S3 is for good: an agent that comes back asks for what is left', async () => {
    await using origin = await startHttpOrigin((_request, response) => void response.end('x'));
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    await using links = await startLinks(server.edge.ports);
    const options = { server: links.server, ...tunnelsTo(origin.target) };
    await using agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, options);
    server.edge.disconnect('a.test');
    await agent.event('withdrawn');
    links.both('cut');
    await agent.event('ready', ({ tunnels }) => tunnels.length === 1);
    expect([await statusOf(server, 'a.test'), await statusOf(server, 'b.test')]).toEqual([503, 200]);
    expect(server.edge.sessions()).toMatchObject([{ domains: ['b.test'] }]);
  });

  it('S3 reaches every agent that serves it', async () => {
    await using origin = await startHttpOrigin((_request, response) => void response.end('x'));
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    const { ports } = server.edge;
    await using several = await startTestAgent(ports, 'a.test', origin.target, tunnelsTo(origin.target));
    await using single = await startTestAgent(ports, 'a.test', origin.target);
    expect(server.edge.disconnect('a.test')).toBe(2);
    await several.event('withdrawn');
    expect(await single.agent.closed).toMatchObject({ code });
    expect(await statusOf(server, 'a.test')).toBe(503);
  });

  it('S3 ends all of an agent that does not know how to lose one', async () => {
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    const events = sessionEvents(server);
    using carrier = await connectForgedTls(server.edge.ports.tunnel);
    carrier.send(helloFrame({ endpoints: ['a.test', 'b.test'] }));
    await carrier.frame(wire.welcome);
    expect(server.edge.sessions()).toMatchObject([{ canWithdraw: false }]);
    expect(server.edge.disconnect('a.test')).toBe(1);
    expect(await carrier.goAwayCode()).toBe(code);
    expect(carrier.frames.some(({ type }) => type === wire.withdraw)).toBe(false);
    await eventually('the end of the session', () => events.length > 0);
    expect(events).toMatchObject([{ type: 'session-closed', domains: ['a.test', 'b.test'], code }]);
    expect(await statusOf(server, 'b.test')).toBe(503);
  });

  it('S3 is told on a connection that joins later, too: the first one may break before it is read', async () => {
    await using server = await startTestEdge();
    const capabilities = [...plainHello.capabilities, 'withdraw'];
    const endpoints = ['a.test', 'b.test'];
    using grpc = await connectForgedGrpc(server.edge.ports.grpc);
    grpc.send(helloFrame({ capabilities, endpoints }));
    await grpc.frame(wire.welcome);
    const ticket = await ticketFor(grpc);
    server.edge.disconnect('a.test');
    using tls = await connectForgedTls(server.edge.ports.tunnel);
    tls.send(helloFrame({ capabilities, endpoints, ticket }));
    for (const carrier of [grpc, tls]) {
      const { payload } = await carrier.frame(wire.withdraw);
      expect(JSON.parse(String(payload))).toEqual({
        endpoint: 'a.test',
        reason: `${code}\nthe operator of the edge has disconnected a.test`,
      });
    }
  });
});
