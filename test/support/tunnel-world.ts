/**
 * Edge, agent and a client in front of one origin: the world of most integration tests. Others are this one with an origin
 * or a page of their own: attack-world.ts, semantics-world.ts, policy-world.ts, inspected-world.ts.
 */
import type { AgentOptions, TransportChoice } from '../../src/agent/agent-options.ts';
import type { EdgeLimits } from '../../src/edge/edge-options.ts';
import { HttpClient } from './http-client.ts';
import type { Origin } from './origins.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge, type TestEdgeOptions } from './world.ts';

/** The transports that exchanges are tested over: gRPC in a hybrid session, and the TCP tunnel alone. */
export const httpTransports = [
  { name: 'gRPC (hybrid)', transport: 'auto', carrier: 'grpc' },
  { name: 'TCP', transport: 'tcp', carrier: 'tcp' },
] as const;

/** The endpoint of the world, unless a test wants another one. */
export const testHost = 'app.test';

/** What differs from an ordinary world. */
export interface TunnelWorldOptions {
  /** Default {@link testHost}. */
  readonly domain?: string;
  /** Default `auto`: both carriers, and the world waits for both. */
  readonly transport?: TransportChoice;
  readonly limits?: Partial<EdgeLimits> | undefined;
  readonly edge?: TestEdgeOptions | undefined;
  readonly agent?: Partial<AgentOptions> | undefined;
}

/** A tunnel and a client of its endpoint. Disposing it ends everything but the origin. */
export interface TunnelWorld extends AsyncDisposable {
  readonly edge: TestEdge;
  readonly agent: TestAgent;
  readonly client: HttpClient;
  /** The edge's proxy port. */
  readonly port: number;
}

/** Starts an edge and an agent in front of an origin. */
export async function startTunnelWorld(
  origin: Pick<Origin, 'target'>,
  { domain = testHost, transport = 'auto', limits, edge: edgeOptions, agent: agentOptions }: TunnelWorldOptions = {},
): Promise<TunnelWorld> {
  const edge = await startTestEdge(limits, edgeOptions);
  const agent = await startTestAgent(edge.edge.ports, domain, origin.target, { transport, ...agentOptions });
  const client = new HttpClient(edge.edge.ports.proxy, domain);
  return {
    edge,
    agent,
    client,
    port: edge.edge.ports.proxy,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await agent[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}
