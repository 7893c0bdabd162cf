/**
 * A tunnel under policies: those of the edge's operator and the one that the agent asks for.
 */
import type { AgentTunnel } from '../../src/agent/agent-options.ts';
import type { EdgeLimits, EdgeOptions } from '../../src/edge/edge-options.ts';
import { type EdgePolicy, noPolicy } from '../../src/edge/policy/policy-gate.ts';
import { parseTarget } from '../../src/http/target.ts';
import type { Origin } from './origins.ts';
import { startTunnelWorld, type TunnelWorld, testHost } from './tunnel-world.ts';
import { startTestAgent, type TestAgent, type TestEdge } from './world.ts';

/** What is laid over an edge and an agent without any policy. */
export interface PolicySetup {
  /** What the operator says. */
  readonly operator?: Partial<EdgePolicy>;
  /** What the agent's owner says. */
  readonly tunnel?: Pick<AgentTunnel, 'policy' | 'health'>;
  readonly limits?: Partial<EdgeLimits>;
  readonly edge?: Partial<Omit<EdgeOptions, 'limits' | 'policy'>>;
}

/** Starts an edge and an agent in front of an origin. */
export function startPolicyWorld(origin: Pick<Origin, 'target'>, setup: PolicySetup): Promise<TunnelWorld> {
  return startTunnelWorld(origin, {
    limits: setup.limits,
    edge: { ...setup.edge, policy: { ...noPolicy, ...setup.operator } },
    agent: { tunnels: [policyTunnel(origin, setup.tunnel)] },
  });
}

/** Starts one more agent for the endpoint. */
export function startPolicyAgent(
  edge: TestEdge,
  origin: Pick<Origin, 'target'>,
  tunnel: PolicySetup['tunnel'] = {},
): Promise<TestAgent> {
  return startTestAgent(edge.edge.ports, testHost, origin.target, { tunnels: [policyTunnel(origin, tunnel)] });
}

function policyTunnel({ target }: Pick<Origin, 'target'>, tunnel: PolicySetup['tunnel']): AgentTunnel {
  return { domain: testHost, target: parseTarget(target), ...tunnel };
}

/** The code in a failure answered as text. */
export function codeOf(text: string): string | undefined {
  return /GIR_ERR_[A-Z_]+/.exec(text)?.[0];
}
