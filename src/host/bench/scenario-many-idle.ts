/** Memory of edge and agent per idle WebSocket and per tunnel. */
import { loadFigures } from '../../load/load-figures.ts';
import { LoadRecord } from '../../load/load-record.ts';
import { bytesText, countText } from '../../load/quantity.ts';
import type { BenchWay } from './bench-world.ts';
import { sessionOf, type WayResult } from './measure-ways.ts';
import type { Usage } from './observed-child.ts';
import type { ObservedProcess } from './observed-process.ts';
import type { ScenarioContext, ScenarioOutcome } from './scenario-context.ts';

/** Tunnels of the agent that has many: as many as a file may hold. */
const tunnels = 100;
/** Octets of the message by which each WebSocket proves that it is there. */
const proofBytes = 16;

/** What one more costs, in octets. */
interface Share {
  readonly edge: number;
  readonly agent: number;
}

/** Measures tunnels first: memory that WebSockets have given back would be used again. */
export async function manyIdleScenario(context: ScenarioContext): Promise<ScenarioOutcome> {
  const { plan, world, onProgress } = context;
  const { concurrency } = plan.load;
  const tell = (label: string, done: number) => onProgress(() => ({ label, done, requests: 0, failed: 0 }));
  await world.edge(concurrency + 1000);
  const way = await world.tunnel('hybrid');
  tell(`${tunnels} tunnels`, 0.2);
  const tunnel = await perTunnel(context, way);
  tell(`${countText(concurrency)} WebSockets`, 0.5);
  const { share, record } = await perWebSocket(context, way);
  const extra = { 'websocket-memory': share.edge + share.agent, 'tunnel-memory': tunnel.edge + tunnel.agent };
  const result: WayResult = {
    name: 'hybrid',
    figures: loadFigures(record),
    percentileMs: (percentile) => record.latencies.percentileMs(percentile),
    extra,
    generator: undefined,
    processes: [],
  };
  const text = ({ edge, agent }: Share): string => `${bytesText(edge)} at the edge, ${bytesText(agent)} at the agent`;
  return {
    results: [result],
    scenario: {
      title: `Memory with ${countText(record.succeeded)} idle WebSockets, and with ${tunnels} tunnels`,
      rows: [
        { label: 'per WebSocket', value: text(share), note: 'resident' },
        { label: 'per tunnel', value: text(tunnel), note: 'heap' },
      ],
      data: { webSockets: record.succeeded, tunnels, bytesPerWebSocket: share, bytesPerTunnel: tunnel },
    },
  };
}

/** The heap is compared: next to what a process needs anyway, tunnels are too small to be seen from outside. */
async function perTunnel({ world }: ScenarioContext, { middle }: BenchWay): Promise<Share> {
  const [edge, agent] = middle;
  const edgeBefore = await heap(edge);
  const oneTunnel = await heap(agent);
  await using many = await world.startTunnels(tunnels);
  return {
    edge: ((await heap(edge)) - edgeBefore) / tunnels,
    agent: ((await heap(many)) - oneTunnel) / tunnels,
  };
}

async function perWebSocket({ plan, signal }: ScenarioContext, way: BenchWay) {
  const { concurrency, timeoutMs } = plan.load;
  const before = await residents(way);
  const record = new LoadRecord();
  const load = { ...plan.load, isWebSocket: true, sentBytes: proofBytes, rate: undefined, timeoutMs };
  using session = sessionOf(way, load, '/echo');
  const stop = (): void => session.stop();
  signal.addEventListener('abort', stop);
  await session.run({ durationMs: undefined, maxRequests: concurrency }, record);
  signal.removeEventListener('abort', stop);
  const after = await residents(way);
  const count = Math.max(1, record.succeeded);
  const share = { edge: (after.edge - before.edge) / count, agent: (after.agent - before.agent) / count };
  return { share, record };
}

async function residents({ middle: [edge, agent] }: BenchWay): Promise<Share> {
  return { edge: await used(edge, 'memoryBytes'), agent: await used(agent, 'memoryBytes') };
}

function heap(process: ObservedProcess | undefined): Promise<number> {
  return used(process, 'heapBytes');
}

async function used(process: ObservedProcess | undefined, which: keyof Usage): Promise<number> {
  return (await process?.usage(true))?.[which] ?? 0;
}
