/**
 * Edge, agent and one origin together, for tests of HTTP exchanges that run over either transport.
 */
import type { AgentOptions } from '../../src/agent/agent-options.ts';
import type { EdgeLimits } from '../../src/edge/edge-options.ts';
import { HttpClient } from './http-client.ts';
import type { Origin } from './origins.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from './world.ts';

/** The transports that exchanges are tested over: gRPC in a hybrid session, and the TCP tunnel alone. */
export const httpTransports = [
  { name: 'gRPC (hybrid)', transport: 'auto', carrier: 'grpc' },
  { name: 'TCP', transport: 'tcp', carrier: 'tcp' },
] as const;

/** One of {@link httpTransports}. */
export type HttpTransport = (typeof httpTransports)[number];

/** The endpoint of the world. */
export const testHost = 'app.test';

/** What a test of HTTP needs. Disposing it ends everything but the origin. */
export interface HttpWorld extends AsyncDisposable {
  readonly edge: TestEdge;
  readonly agent: TestAgent;
  readonly client: HttpClient;
  /** The edge's proxy port. */
  readonly port: number;
}

/** Starts an edge and an agent in front of an origin. */
export async function startHttpWorld(
  origin: Origin,
  transport: HttpTransport['transport'],
  limits: Partial<EdgeLimits> = {},
  agentOptions: Partial<AgentOptions> = {},
): Promise<HttpWorld> {
  const edge = await startTestEdge(limits);
  const agent = await startTestAgent(edge.edge.ports, testHost, origin.target, { transport, ...agentOptions });
  const client = new HttpClient(edge.edge.ports.proxy, testHost);
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
