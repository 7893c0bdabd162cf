/** W5: upgrades that come and go in any way leave nothing behind. */
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/agent-options.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { eventually } from '../support/eventually.ts';
import { resourceCount, settledHeapBytes } from '../support/resources.ts';
import { echo, openUpgrade, startRawOrigin, switching } from '../support/upgrade-sockets.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

const atOnce = 100;

/** Runs `work` with rising numbers, `atOnce` at a time. */
async function repeated(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next);
    }
  };
  await Promise.all([...Array(atOnce).keys()].map(worker));
}

describe('upgrades that come and go', () => {
  it('W5 10,000 upgrades, half of them without FIN, leave no socket, timer or memory', {
    timeout: 240_000,
  }, async () => {
    await using origin = await startRawOrigin(echo);
    await using server = await startTestEdge({}, { logger: silentLogger });
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.url);
    const port = server.edge.ports.proxy;
    const churn = async (index: number): Promise<void> => {
      const { socket, reader } = await openUpgrade(port);
      socket.write('x');
      await reader.exactly(1);
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.end();
      await reader.closed;
    };
    const settled = async (): Promise<void> => {
      await eventually('the origin is left alone', () => origin.open === 0);
      await eventually('nothing is in flight', () => server.edge.stats()[0]?.inFlight === 0);
      // What the test's own agent has noted is no leak.
      (agent.events as AgentEvent[]).length = 0;
      (origin.sockets as unknown[]).length = 0;
    };

    await repeated(1000, churn);
    await settled();
    const sockets = resourceCount('TCPSocketWrap');
    const timers = resourceCount('Timeout');
    const heapBytes = await settledHeapBytes();

    await repeated(10_000, churn);
    await settled();
    await eventually('the sockets are back', () => resourceCount('TCPSocketWrap') <= sockets);
    await eventually('the timers are back', () => resourceCount('Timeout') <= timers);
    // 200 octets for each upgrade would show.
    expect((await settledHeapBytes()) - heapBytes).toBeLessThan(2_000_000);
    expect(server.edge.stats()[0]).toMatchObject({ requests: 11_000, inFlight: 0 });
  });

  it('W5 upgrades given up before their answer leave nothing at the origin', async () => {
    await using origin = await startRawOrigin(({ socket }) => {
      socket.on('end', () => socket.end());
    });
    await using server = await startTestEdge();
    await using _agent = await startTestAgent(server.edge.ports, 'app.test', origin.url);
    const port = server.edge.ports.proxy;
    const opening = [...Array(200).keys()].map(() => openUpgrade(port).catch(() => {}));
    await eventually('all have reached the origin', () => origin.sockets.length === 200);
    await server.edge[Symbol.asyncDispose]();
    await Promise.all(opening);
    await eventually('the origin is left alone', () => origin.open === 0);
  });

  it('W5 an agent that is lost ends its relays at both ends', async () => {
    await using origin = await startRawOrigin(({ socket }) => {
      socket.write(switching);
    });
    await using server = await startTestEdge();
    await using agent = await startTestAgent(server.edge.ports, 'app.test', origin.url);
    const clients = await Promise.all([...Array(100).keys()].map(() => openUpgrade(server.edge.ports.proxy)));
    await agent[Symbol.asyncDispose]();
    await Promise.all(clients.map(({ reader }) => reader.closed));
    await eventually('the origin is left alone', () => origin.open === 0);
    expect(server.edge.stats()[0]?.inFlight).toBe(0);
  });
});
