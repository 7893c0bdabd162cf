/** T6, T7, hardening 15: agents that come and go, many of them, on any ports. */
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/agent-options.ts';
import { backoffMs, defaultBackoff } from '../../src/agent/backoff.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { fixedHost, startLinks } from '../support/links.ts';
import { note } from '../support/note.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { freezeCode, resourceCount, resources, settledHeapBytes } from '../support/resources.ts';
import { startTestAgent, startTestEdge, type TestAgent } from '../support/world.ts';

const quick = { firstMs: 1, maxMs: 1 };

function readyCount({ events }: TestAgent): number {
  return events.filter(({ type }) => type === 'ready').length;
}

describe('agents that come and go', () => {
  it('T6 1,000 reconnects, half of them without goodbye, leave no handle, timer or memory at either end', {
    timeout: 400_000,
  }, async () => {
    /** Agents of each kind at a time: what one waits for is time for the others. */
    const atOnce = 5;
    freezeCode();
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    await using server = await startTestEdge({ keepAliveMs: 600_000 }, { logger: silentLogger });
    const { ports } = server.edge;
    await using links = await startLinks(ports);
    using client = new HttpClient(ports.proxy, 'app.test');
    await using all = new Lifetimes();
    const cut: TestAgent[] = [];
    for (let count = 0; count < atOnce; count += 1) {
      const options = { server: links.server, backoff: quick, logger: silentLogger };
      cut.push(all.use(await startTestAgent(ports, 'app.test', origin.target, options)));
    }

    const comeAndLeave = async (): Promise<void> => {
      await using polite = await startTestAgent(ports, 'app.test', origin.target, { logger: silentLogger });
      await polite.agent.drain(1000);
    };
    /** Some agents that come and say goodbye, and as many that are cut off and come back. */
    const round = async (): Promise<void> => {
      for (const { events } of cut) (events as AgentEvent[]).length = 0;
      links.both('cut');
      await Promise.all(cut.flatMap((agent) => [comeAndLeave(), agent.event('ready')]));
      expect((await client.get('/')).status).toBe(200);
    };
    const settled = async (): Promise<void> => {
      await eventually('the sessions of those that stay are left', () => server.edge.stats()[0]?.sessions === atOnce);
      const isWhole = (): boolean => links.grpc.open === atOnce && links.tunnel.open === atOnce;
      await eventually('two connections of each are left', isWhole);
    };

    for (let index = 0; index < 50 / atOnce; index += 1) await round();
    await settled();
    const before = {
      sockets: resourceCount('TCPSocketWrap'),
      timers: resourceCount('Timeout'),
      heap: await settledHeapBytes(),
    };
    for (let index = 0; index < 500 / atOnce; index += 1) await round();
    await settled();
    await eventually('the sockets are back', () => resourceCount('TCPSocketWrap') <= before.sockets);
    await eventually('the timers are back', () => resourceCount('Timeout') <= before.timers, 35_000);
    const heapBytes = await settledHeapBytes();
    note(`T6 heap before ${(before.heap / 1e6).toFixed(2)} MB, after ${(heapBytes / 1e6).toFixed(2)} MB`);
    // 3 % of the heap. A leak of 1,300 octets for each reconnect shows.
    expect(heapBytes - before.heap).toBeLessThan(1_000_000);
  });

  it('T6 agents that open a session and vanish in mid-handshake leave nothing', async () => {
    await using server = await startTestEdge({ handshakeTimeoutMs: 2000 });
    await using links = await startLinks(server.edge.ports);
    await using agent = await startTestAgent(server.edge.ports, 'app.test', '127.0.0.1:1', {
      server: links.server,
      backoff: quick,
      waits: false,
    });
    for (let cut = 0; cut < 100; cut += 1) {
      await new Promise((resolve) => setTimeout(resolve, cut % 15));
      links.both('cut');
    }
    await eventually('it serves in spite of it', () => readyCount(agent) > 0);
    await agent[Symbol.asyncDispose]();
    await eventually('no session is left', () => server.edge.stats().every(({ sessions }) => sessions === 0));
    await eventually('no connection is left', () => links.grpc.open + links.tunnel.open === 0);
  });

  it('T6 an edge and an agent that were closed leave nothing in the process', async () => {
    const use = async (): Promise<void> => {
      await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
      await using server = await startTestEdge();
      await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.target);
      using client = new HttpClient(server.edge.ports.proxy, 'app.test');
      expect((await client.get('/')).text).toBe('ok');
    };
    await use();
    await eventually(
      'the first is gone',
      () => resourceCount('TCPServerWrap') === 0 && resourceCount('TCPSocketWrap') === 0,
    );
    const before = resources();
    for (let index = 0; index < 10; index += 1) await use();
    await eventually('all is as before', () => {
      const now = resources();
      return (
        (now['TCPSocketWrap'] ?? 0) === 0 &&
        (now['TCPServerWrap'] ?? 0) === 0 &&
        (now['Timeout'] ?? 0) <= (before['Timeout'] ?? 0)
      );
    });
  });
});

describe('ports', () => {
  it('T7 three edges and six agents in one process, all on ports of their own choice', async () => {
    await using all = new Lifetimes();
    const names = ['a', 'b'];
    const edges = await Promise.all([0, 1, 2].map(async () => all.use(await startTestEdge())));
    const ports = edges.flatMap(({ edge }) => Object.values(edge.ports));
    expect(new Set(ports).size).toBe(9);
    for (const [index, { edge }] of edges.entries()) {
      for (const name of names) {
        const origin = all.use(await startHttpOrigin((_request, response) => response.end(`${name}${index}`)));
        all.use(await startTestAgent(edge.ports, `${name}.test`, origin.target));
      }
    }
    for (const [index, { edge }] of edges.entries()) {
      for (const name of names) {
        using client = new HttpClient(edge.ports.proxy, `${name}.test`);
        expect((await client.get('/')).text).toBe(`${name}${index}`);
      }
    }
  });

  it('T7 one agent process can serve several edges with the same name', async () => {
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    await using first = await startTestEdge();
    await using second = await startTestEdge();
    await using _one = await startTestAgent(first.edge.ports, 'app.test', origin.target);
    await using _two = await startTestAgent(second.edge.ports, 'app.test', origin.target);
    for (const { edge } of [first, second]) {
      using client = new HttpClient(edge.ports.proxy, 'app.test');
      expect((await client.get('/')).text).toBe('ok');
    }
  });
});

describe('an edge that restarts under many agents', () => {
  it.each([0, 50, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 600_000])(
    'hardening 15: 1,000 agents after an outage of %i ms: at no time more than 3 times the mean rate until the last is back',
    (outageMs) => {
      const backMs = Array.from({ length: 1000 }, () => {
        let atMs = 0;
        do atMs += backoffMs(atMs, defaultBackoff, Math.random());
        while (atMs < outageMs);
        return atMs - outageMs;
      });
      const lastMs = Math.max(...backMs);
      const bins = Array<number>(10).fill(0);
      for (const ms of backMs) {
        const bin = Math.min(9, Math.floor((ms / lastMs) * 10));
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      // The worst of 9,000 runs showed 2.8 times; a bound that doubles with each failure shows up to 8 times.
      expect(Math.max(...bins) / 100).toBeLessThanOrEqual(3);
      expect(lastMs).toBeLessThanOrEqual(Math.max(1000, Math.min(30_000, outageMs)));
    },
  );

  it('hardening 15: 100 agents come back, spread over the first step of the backoff', async () => {
    await using all = new Lifetimes();
    const fixed = (ports = { grpc: 0, tunnel: 0 }) => ({
      grpc: { host: fixedHost, port: ports.grpc },
      tunnel: { host: fixedHost, port: ports.tunnel },
    });
    const old = await startTestEdge({}, { ...fixed(), logger: silentLogger });
    const { ports } = old.edge;
    const server = { host: fixedHost, grpcPort: ports.grpc, tunnelPort: ports.tunnel };
    const agents: TestAgent[] = [];
    for (let index = 0; index < 100; index += 1) {
      const options = {
        server,
        logger: silentLogger,
        backoff: { firstMs: 2000, maxMs: 30_000 },
        transport: 'tcp',
      } as const;
      agents.push(all.use(await startTestAgent(ports, `app${index}.test`, '127.0.0.1:1', options)));
    }
    await old[Symbol.asyncDispose]();
    all.use(await startTestEdge({}, { ...fixed(ports), logger: silentLogger }));
    await eventually('all serve again', () => agents.every((agent) => readyCount(agent) === 2), 30_000);

    // Delays of the first step, since the edge was away for a moment only: how many attempts fell into each 250 ms?
    const delays = agents.map(({ events }) => events.find((event) => event.type === 'reconnecting')?.delayMs ?? 0);
    const bins = Array<number>(8).fill(0);
    for (const delay of delays) {
      const bin = Math.min(7, Math.floor(delay / 250));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(Math.max(...bins)).toBeLessThanOrEqual((3 * agents.length) / bins.length);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2000);
  });
});
