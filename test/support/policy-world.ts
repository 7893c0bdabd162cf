/**
 * A tunnel under policies: those of the edge's operator and the one that the agent asks for.
 */
import type { AgentTunnel } from '../../src/agent/agent-options.ts';
import type { EdgeLimits, EdgeOptions } from '../../src/edge/edge-options.ts';
import { type EdgePolicy, noPolicy } from '../../src/edge/policy/policy-gate.ts';
import { parseTarget } from '../../src/http/target.ts';
import { HttpClient } from './http-client.ts';
import type { Origin } from './origins.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from './world.ts';

/** The endpoint of the world. */
export const policyHost = 'app.test';

/** What is laid over an edge and an agent without any policy. */
export interface PolicySetup {
  /** What the operator says. */
  readonly operator?: Partial<EdgePolicy>;
  /** What the agent's owner says. */
  readonly tunnel?: Pick<AgentTunnel, 'policy' | 'health'>;
  readonly limits?: Partial<EdgeLimits>;
  readonly edge?: Partial<Omit<EdgeOptions, 'limits' | 'policy'>>;
}

/** Edge, agent and a client of its endpoint. Disposing it ends everything but the origin. */
export interface PolicyWorld extends AsyncDisposable {
  readonly edge: TestEdge;
  readonly agent: TestAgent;
  readonly client: HttpClient;
  /** The edge's proxy port. */
  readonly port: number;
}

/** Starts an edge and an agent in front of an origin. */
export async function startPolicyWorld(origin: Pick<Origin, 'target'>, setup: PolicySetup): Promise<PolicyWorld> {
  const edge = await startTestEdge(setup.limits, { ...setup.edge, policy: { ...noPolicy, ...setup.operator } });
  const agent = await startPolicyAgent(edge, origin, setup.tunnel);
  const client = new HttpClient(edge.edge.ports.proxy, policyHost);
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

/** Starts an agent for the endpoint. */
export async function startPolicyAgent(
  edge: TestEdge,
  origin: Pick<Origin, 'target'>,
  tunnel: PolicySetup['tunnel'] = {},
): Promise<TestAgent> {
  return startTestAgent(edge.edge.ports, policyHost, origin.target, {
    tunnels: [{ domain: policyHost, target: parseTarget(origin.target), ...tunnel }],
  });
}

/** The code in a failure answered as text. */
export function codeOf(text: string): string | undefined {
  return /GIR_ERR_[A-Z_]+/.exec(text)?.[0];
}
