/** A whole tunnel for `a.test` with an origin that records octets, for attacks from the client's side. */
import type { AgentOptions } from '../../src/agent/agent-options.ts';
import type { EdgeLimits } from '../../src/edge/edge-options.ts';
import { type RawClient, rawClient } from './raw-client.ts';
import { type RecordingOrigin, startRecordingOrigin } from './recording-origin.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from './world.ts';

/** Edge, agent and origin. */
export interface AttackWorld extends AsyncDisposable {
  readonly edge: TestEdge;
  readonly agent: TestAgent;
  readonly origin: RecordingOrigin;
  /** The proxy port. */
  readonly port: number;
  connect(options?: { reads?: boolean }): Promise<RawClient>;
}

/** Starts a tunnel whose origin gives `answer`. */
export async function startAttackWorld(
  limits: Partial<EdgeLimits> = {},
  answer?: Parameters<typeof startRecordingOrigin>[0],
  agentOptions: Partial<AgentOptions> = {},
): Promise<AttackWorld> {
  const edge = await startTestEdge(limits);
  const origin = await startRecordingOrigin(answer);
  const agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`, agentOptions);
  const port = edge.edge.ports.proxy;
  return {
    edge,
    agent,
    origin,
    port,
    connect: (options) => rawClient(port, '', { halfOpen: false, ...options }),
    [Symbol.asyncDispose]: async () => {
      await agent[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}
