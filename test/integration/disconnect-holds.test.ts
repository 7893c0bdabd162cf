/** An operator's disconnect holds for every agent that was running, whatever it was just doing. */
import { describe, expect, it } from 'vitest';
import type { AgentEvent, AgentOptions } from '../../src/agent/agent-options.ts';
import { createDeferred } from '../../src/agent/deferred.ts';
import { ReplaceableAgent } from '../../src/host/agent/replaceable-agent.ts';
import { eventually } from '../support/eventually.ts';
import {
  type CarrierRecorder,
  connectForgedGrpc,
  connectForgedTls,
  helloFrame,
  plainHello,
  ticketFor,
  wire,
} from '../support/forged-carrier.ts';
import { HttpClient } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { tunnelsTo } from '../support/two-tunnels.ts';
import {
  recordingLogger,
  startTestAgent,
  startTestEdge,
  type TestEdge,
  type TokenCheck,
  testToken,
} from '../support/world.ts';

const code = 'GIR_ERR_DISCONNECTED';
const both = ['a.test', 'b.test'];
const capabilities = [...plainHello.capabilities, 'withdraw'];

const startOrigin = () => startHttpOrigin((_request, response) => void response.end('x'));

async function statusOf({ edge }: TestEdge, host: string): Promise<number> {
  using client = new HttpClient(edge.ports.proxy, host);
  return (await client.get('/')).status;
}

const servedBy = ({ edge }: TestEdge) => edge.sessions().map(({ domains }) => domains);
const isEmpty = (server: TestEdge) => server.edge.sessions().length === 0;

/** A check of tokens that waits once it is told to. */
function gatedCheck() {
  let gate: Promise<void> | undefined;
  let asked = 0;
  const open = createDeferred<void>();
  const authenticate: TokenCheck = async () => {
    asked += 1;
    await gate;
    return { id: 'test', endpoints: ['*'], expiresAt: undefined };
  };
  const shut = () => {
    gate = open.promise;
    asked = 0;
  };
  return { authenticate, shut, open: open.resolve, isAsked: () => asked > 0 };
}

/** Opens a session as an agent of another make does. */
async function hello(server: TestEdge, overrides: Parameters<typeof helloFrame>[0]): Promise<CarrierRecorder> {
  const carrier = await connectForgedTls(server.edge.ports.tunnel);
  carrier.send(helloFrame({ endpoints: both, ...overrides }));
  return carrier;
}

describe('a disconnect', () => {
  it('S3 holds for an agent whose HELLO is being checked', async () => {
    const check = gatedCheck();
    await using server = await startTestEdge({ reconnectGraceMs: 0 }, { authenticate: check.authenticate });
    using serving = await hello(server, { endpoints: ['a.test'] });
    await serving.frame(wire.welcome);
    check.shut();
    using several = await hello(server, { capabilities, agentId: 'several-0001' });
    await eventually('the first question', check.isAsked);
    check.shut();
    using single = await hello(server, { capabilities, agentId: 'single-00001', endpoints: ['a.test'] });
    await eventually('the second question', check.isAsked);
    expect(server.edge.disconnect('a.test')).toBe(1);
    check.open();

    expect(JSON.parse(String((await several.frame(wire.withdraw)).payload))).toMatchObject({ endpoint: 'a.test' });
    expect(await single.goAwayCode()).toBe(code);
    expect(single.frames.some(({ type }) => type === wire.welcome)).toBe(false);
    await eventually('the end of the others', () => server.edge.sessions().length === 1);
    expect(servedBy(server)).toEqual([['b.test']]);
    expect(await statusOf(server, 'a.test')).toBe(503);
  });

  it('S3 holds for agents that lose their connections before they read of it', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    await using links = await startLinks(server.edge.ports);
    const { ports } = server.edge;
    const way = { server: links.server };
    await using several = await startTestAgent(ports, '', origin.target, { ...way, ...tunnelsTo(origin.target) });
    await using single = await startTestAgent(ports, 'a.test', origin.target, way);
    links.both('stall');
    expect(server.edge.disconnect('a.test')).toBe(2);
    links.both('cut');
    links.both('resume');
    expect(await several.event('withdrawn')).toMatchObject({ domain: 'a.test', error: { code } });
    expect(await single.agent.closed).toMatchObject({ code });
    await several.event('ready', ({ tunnels }) => tunnels.length === 1);
    expect(servedBy(server)).toEqual([['b.test']]);
    expect([await statusOf(server, 'a.test'), await statusOf(server, 'b.test')]).toEqual([503, 200]);
  });

  it('S3 holds for an agent that is only reconnecting, and not for one that is started again', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    await using links = await startLinks(server.edge.ports);
    const { ports } = server.edge;
    const options = { server: links.server, ...tunnelsTo(origin.target) };
    await using away = await startTestAgent(ports, '', origin.target, options);
    links.both('refuse');
    links.both('cut');
    await eventually('the loss', () => isEmpty(server));
    await using serving = await startTestAgent(ports, 'a.test', origin.target);
    expect(server.edge.disconnect('a.test')).toBe(1);
    await serving.agent.closed;
    links.both('accept');
    await away.event('ready', ({ tunnels }) => tunnels.length === 1);
    expect([await statusOf(server, 'a.test'), await statusOf(server, 'b.test')]).toEqual([503, 200]);

    await using _again = await startTestAgent(ports, 'a.test', origin.target);
    expect(await statusOf(server, 'a.test')).toBe(200);
    links.both('cut');
    const isBack = () => away.events.filter(({ type }) => type === 'ready').length === 3;
    await eventually('its return', isBack);
    expect(servedBy(server)).toEqual(expect.arrayContaining([['a.test'], ['b.test']]));
    expect(server.edge.stats().map(({ sessions }) => sessions)).toEqual([1, 1]);
  });

  it('S3 holds for an agent of an older release that comes back: all of it', async () => {
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    using carrier = await hello(server, {});
    await carrier.frame(wire.welcome);
    carrier.destroy();
    await eventually('the loss', () => isEmpty(server));
    server.edge.disconnect('a.test');
    using again = await hello(server, { generation: 2 });
    expect(await again.goAwayCode()).toBe(code);
    expect(isEmpty(server)).toBe(true);
  });

  it('S3 holds for agents of an edge that is draining, which look for another one already', async () => {
    let finish = (): void => {};
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('half');
      finish = () => void response.end();
    });
    await using server = await startTestEdge();
    const { ports } = server.edge;
    await using several = await startTestAgent(ports, '', origin.target, tunnelsTo(origin.target));
    await using single = await startTestAgent(ports, 'a.test', origin.target);
    using client = new HttpClient(ports.proxy, 'b.test');
    const slow = client.open('GET', '/');
    slow.outgoing.end();
    await slow.answer;
    const drained = server.edge.drain(50_000);
    await Promise.all([several.event('reconnecting'), single.event('reconnecting')]);
    expect(server.edge.disconnect('a.test')).toBe(2);
    expect(await several.event('withdrawn')).toMatchObject({ domain: 'a.test', error: { code } });
    expect(await single.agent.closed).toMatchObject({ code });
    finish();
    await drained;
  });

  it('S3 leaves no session that a second connection could join', async () => {
    const check = gatedCheck();
    await using server = await startTestEdge({}, { authenticate: check.authenticate });
    using first = await connectForgedGrpc(server.edge.ports.grpc);
    first.send(helloFrame({ capabilities }));
    await first.frame(wire.welcome);
    const ticket = await ticketFor(first);
    check.shut();
    using second = await hello(server, { capabilities, ticket });
    await eventually('the question', check.isAsked);
    server.edge.disconnect('forged.test');
    check.open();
    expect(await second.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
    expect(second.frames.some(({ type }) => type === wire.welcome)).toBe(false);
  });

  it('S3 holds for an agent that takes over with a reloaded configuration', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ reconnectGraceMs: 0 });
    await using links = await startLinks(server.edge.ports);
    const { grpc, tunnel } = server.edge.ports;
    const { caPem } = await testCertificate();
    const options: AgentOptions = {
      ...tunnelsTo(origin.target),
      server: { host: 'localhost', grpcPort: grpc, tunnelPort: tunnel },
      token: testToken,
      trust: { kind: 'ca', pem: caPem },
      transport: 'auto',
      hostHeader: 'preserve',
      logger: recordingLogger().logger,
      backoff: { firstMs: 20, maxMs: 200 },
    };
    const events: AgentEvent[] = [];
    await using agent = new ReplaceableAgent(options, (event) => void events.push(event));
    await agent.ready;
    links.both('refuse');
    const replaced = agent.replace({ ...options, server: links.server });
    await eventually('an attempt', () => links.grpc.refused > 0);
    expect(server.edge.disconnect('a.test')).toBe(1);
    links.both('accept');
    await replaced;
    await eventually('the end of the former', () => server.edge.sessions().length === 1);
    expect(servedBy(server)).toEqual([['b.test']]);
    expect([await statusOf(server, 'a.test'), await statusOf(server, 'b.test')]).toEqual([503, 200]);
    expect(events.filter(({ type }) => type === 'withdrawn')).toMatchObject([{ domain: 'a.test' }]);
    expect(events.filter(({ type }) => type === 'ready').at(-1)).toMatchObject({ tunnels: [{ domain: 'b.test' }] });
  });
});
