/**
 * T3, hardening 16: edges that restart, agents that die, links that freeze, clocks that jump. Pings are short here;
 * test/clock/long-freezes.test.ts has them as they are by default.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EdgeLimits, EdgePorts } from '../../src/edge/edge-options.ts';
import type { AgentSettings } from '../support/agent-process.ts';
import type { EdgeSettings } from '../support/edge-process.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { fixedHost, startLinks } from '../support/links.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { RunningClock } from '../support/running-clock.ts';
import { type ScriptProcess, startScript } from '../support/script-process.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { watchedStrategy } from '../support/watched-strategy.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from '../support/world.ts';

function startOrigin(delayMs = 0): Promise<Origin> {
  return startHttpOrigin((request, response) => {
    request.resume();
    setTimeout(() => response.end('ok'), delayMs);
  });
}

/** An edge whose tunnel ports can be had again. */
function startFixedEdge(limits: Partial<EdgeLimits> = {}, ports: Partial<EdgePorts> = {}): Promise<TestEdge> {
  return startTestEdge(limits, {
    grpc: { host: fixedHost, port: ports.grpc ?? 0 },
    tunnel: { host: fixedHost, port: ports.tunnel ?? 0 },
  });
}

function fixedServer({ grpc, tunnel }: EdgePorts): { host: string; grpcPort: number; tunnelPort: number } {
  return { host: fixedHost, grpcPort: grpc, tunnelPort: tunnel };
}

function count({ events }: TestAgent, type: string): number {
  return events.filter((event) => event.type === type).length;
}

async function statusOf(port: number): Promise<number> {
  using client = new HttpClient(port, 'app.test');
  return (await client.get('/')).status;
}

async function startAgentScript(settings: Omit<AgentSettings, 'domain' | 'options'>): Promise<ScriptProcess<'ready'>> {
  const { caPem } = await testCertificate();
  const options: AgentSettings['options'] = { trust: { kind: 'ca', pem: caPem }, connectTimeoutMs: 1000 };
  return startScript<'ready'>('agent-process', { ...settings, domain: 'app.test', options } satisfies AgentSettings);
}

describe('an edge that restarts', () => {
  it('T3 on the same ports: the agent serves again, each time', async () => {
    await using origin = await startOrigin();
    let server = await startFixedEdge();
    const { ports } = server.edge;
    await using agent = await startTestAgent(ports, 'app.test', origin.target, { server: fixedServer(ports) });
    for (let restart = 1; restart <= 3; restart += 1) {
      await server[Symbol.asyncDispose]();
      await eventually('the agent notices', () => count(agent, 'reconnecting') >= restart);
      server = await startFixedEdge({}, ports);
      await eventually('the agent serves', () => count(agent, 'ready') === restart + 1);
      expect(await statusOf(server.edge.ports.proxy)).toBe(200);
    }
    await server[Symbol.asyncDispose]();
  });

  it('T3 killed and back: relays end, new ones work, and the mode is hybrid again', async () => {
    await using origin = await startWebSocketOrigin();
    const certificate = await testCertificate();
    const start = (ports: Partial<EdgePorts>): Promise<ScriptProcess<EdgePorts>> =>
      startScript<EdgePorts>('edge-process', {
        options: {
          certificate,
          grpc: { host: fixedHost, port: ports.grpc ?? 0 },
          tunnel: { host: fixedHost, port: ports.tunnel ?? 0 },
        },
      } satisfies EdgeSettings);
    const first = await start({});
    await using agent = await startTestAgent(first.ready, 'app.test', origin.target, {
      server: fixedServer(first.ready),
    });
    const socket = await openWebSocket(first.ready.proxy);
    socket.on('error', () => {});
    await first.kill();
    await eventually('the origin is left alone', () => origin.open === 0);
    await using second = await start(first.ready);
    await eventually('the agent is hybrid again', () => isHybrid(agent, 2), 15_000);
    const again = await openWebSocket(second.ready.proxy);
    const echoed = nextMessage(again);
    again.send('hello');
    expect(String(await echoed)).toBe('hello');
    again.terminate();
  });

  it('T3 an edge that was never there: the agent keeps trying and serves once it is', async () => {
    await using origin = await startOrigin();
    const gone = await startFixedEdge();
    const { ports } = gone.edge;
    await gone[Symbol.asyncDispose]();
    await using agent = await startTestAgent(ports, 'app.test', origin.target, {
      server: fixedServer(ports),
      waits: false,
    });
    await eventually('it has tried a few times', () => count(agent, 'reconnecting') >= 4);
    await using server = await startFixedEdge({}, ports);
    await agent.agent.ready;
    expect(await statusOf(server.edge.ports.proxy)).toBe(200);
  });
});

describe('a link that freezes', () => {
  it('T3 for less than the ping time-out: the session stays, and what was in flight arrives', async () => {
    await using origin = await startOrigin();
    const { strategy, offered } = watchedStrategy();
    await using server = await startTestEdge({ keepAliveMs: 1000 }, { strategy });
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    links.both('stall');
    const status = statusOf(server.edge.ports.proxy);
    // The session would end 1.5 s later.
    await eventually('a ping is overdue', () => offered('grpc')?.isHealthy === false);
    links.both('resume');
    expect(await status).toBe(200);
    expect(count(agent, 'reconnecting')).toBe(0);
    expect(server.log.filter(({ message }) => message === 'carrier closed')).toEqual([]);
  });

  it('T3 for many ping intervals: both ends notice, and it serves again soon after the way is clear', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ keepAliveMs: 200 });
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, {
      server: links.server,
      connectTimeoutMs: 1000,
    });
    links.both('stall');
    await eventually('the agent notices', () => count(agent, 'reconnecting') >= 1);
    await eventually('the edge notices', () => server.edge.stats()[0]?.sessions !== 1);
    const reasons = server.log.filter(({ message }) => message === 'carrier closed').map((line) => line['reason']);
    expect(reasons).toEqual(['GIR_ERR_PING_TIMEOUT', 'GIR_ERR_PING_TIMEOUT']);
    await eventually('some attempts have failed', () => count(agent, 'reconnecting') >= 3, 15_000);
    links.both('resume');
    using clock = new RunningClock();
    await eventually('the agent serves', () => count(agent, 'ready') === 2);
    expect(await statusOf(server.edge.ports.proxy)).toBe(200);
    // One ping interval and one step of the backoff are 400 ms here, one attempt under way may take a second more.
    expect(clock.ranMs).toBeLessThan(3000);
  });

  it('T3 a GET that was in flight in a frozen session is answered by the next one', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ keepAliveMs: 200 });
    await using links = await startLinks(server.edge.ports);
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, {
      server: links.server,
      connectTimeoutMs: 1000,
    });
    links.both('stall');
    const status = statusOf(server.edge.ports.proxy);
    await eventually('the edge has given the session up', () =>
      server.log.some(({ message }) => message === 'carrier closed'),
    );
    links.both('resume');
    expect(await status).toBe(200);
  });
});

describe('an agent that dies', () => {
  it('T3 frozen (SIGSTOP): the edge notices by pings and says 503; woken, it serves again', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ keepAliveMs: 200, reconnectGraceMs: 100 });
    await using agent = await startAgentScript({ ports: server.edge.ports, target: origin.target });
    const { proxy } = server.edge.ports;
    expect(await statusOf(proxy)).toBe(200);
    agent.freeze();
    await eventually('the session is gone', () => server.edge.stats()[0]?.sessions === 0);
    expect(await statusOf(proxy)).toBe(503);
    agent.wake();
    await eventually('it serves again', async () => (await statusOf(proxy)) === 200);
    expect(await agent.ask('events')).toContain('reconnecting');
  });

  it('T3 kill -9: the edge knows at once, and another agent takes over', async () => {
    await using origin = await startOrigin(300);
    await using server = await startTestEdge();
    await using agent = await startAgentScript({ ports: server.edge.ports, target: origin.target });
    const { proxy } = server.edge.ports;
    const inFlight = statusOf(proxy);
    await eventually('the origin has it', () => origin.connections === 1);
    await agent.kill();
    using clock = new RunningClock();
    await eventually('the session is gone', () => server.edge.stats()[0]?.sessions === 0);
    expect(clock.ranMs).toBeLessThan(1000);
    await using _next = await startTestAgent(server.edge.ports, 'app.test', origin.target);
    expect(await inFlight).toBe(200);
  });

  it('T3 an edge that freezes is left by its agent, and found again when it wakes', async () => {
    await using origin = await startOrigin();
    const certificate = await testCertificate();
    const settings: EdgeSettings = { limits: { keepAliveMs: 200 }, options: { certificate } };
    await using server = await startScript<EdgePorts>('edge-process', settings);
    await using agent = await startTestAgent(server.ready, 'app.test', origin.target, { connectTimeoutMs: 1000 });
    expect(await statusOf(server.ready.proxy)).toBe(200);
    server.freeze();
    await eventually('the agent notices', () => count(agent, 'reconnecting') >= 1);
    server.wake();
    await eventually('the agent serves', () => isHybrid(agent, 2), 15_000);
    expect(await statusOf(server.ready.proxy)).toBe(200);
  });
});

describe('a clock that jumps', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('hardening 16: an hour %s shifts no session, ping, time limit or ticket', async (_direction, jumpMs) => {
    let answer = (): void => {};
    await using origin = await startHttpOrigin((_request, response) => {
      answer = () => response.end('ok');
    });
    await using websockets = await startWebSocketOrigin();
    await using server = await startTestEdge({ keepAliveMs: 200, requestTimeoutMs: 4000 });
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.target, { server: links.server });
    await using _other = await startTestAgent(server.edge.ports, 'ws.test', websockets.target);
    const socket = await openWebSocket(server.edge.ports.proxy, '/', { host: 'ws.test' });
    const inFlight = statusOf(server.edge.ports.proxy);
    await eventually('the origin has it', () => origin.connections === 1);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + jumpMs });
    // A carrier that is lost now has to join again, with a ticket handed out at the new time.
    links.tunnel.cut();
    await agent.event('mode', ({ mode }) => mode === 'hybrid');
    answer();
    expect(await inFlight).toBe(200);
    const echoed = nextMessage(socket);
    socket.send('hello');
    expect(String(await echoed)).toBe('hello');
    const movements = new Set<number>();
    await eventually('five pings and their answers have passed', () => movements.add(links.grpc.bytes).size > 10);
    expect(count(agent, 'reconnecting')).toBe(0);
    expect(server.edge.stats().map(({ sessions, errors }) => ({ sessions, errors }))).toEqual([
      { sessions: 1, errors: 0 },
      { sessions: 1, errors: 0 },
    ]);
    socket.terminate();
  });
});

function isHybrid({ events }: TestAgent, session: number): boolean {
  const ready = events.filter((event) => event.type === 'ready');
  const latest = events.findLast((event) => event.type === 'ready' || event.type === 'mode');
  return ready.length >= session && latest?.mode === 'hybrid';
}
