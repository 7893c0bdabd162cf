/**
 * The routing strategy `weighted`: agents get shares of the traffic in proportion to their weights (`giraffe tunnel
 * --weight`), spread evenly over time and not in bursts.
 */
import * as z from 'zod';
import { type Candidate, defineExtension, extensionApiVersion, type RoutingStrategy } from '../../extension/index.ts';
import { onePerAgent, PerEndpoint, usualTransport } from './preference.ts';

/**
 * Creates the strategy: with every request each agent earns its weight, the richest one serves and pays what all have
 * earned together.
 */
export function createWeightedStrategy(): RoutingStrategy {
  const accounts = new PerEndpoint<ReadonlyMap<string, number>>();
  return {
    select(candidates, request) {
      const agents = onePerAgent(candidates, usualTransport(request));
      const before = accounts.get(request.host);
      const after = new Map<string, number>();
      let chosen: Candidate = agents[0];
      let total = 0;
      for (const agent of agents) {
        const balance = (before?.get(agent.agentId) ?? 0) + agent.weight;
        total += agent.weight;
        after.set(agent.agentId, balance);
        if (balance > (after.get(chosen.agentId) ?? 0)) chosen = agent;
      }
      after.set(chosen.agentId, (after.get(chosen.agentId) ?? 0) - total);
      accounts.set(request.host, after);
      return { candidate: chosen };
    },
    explain: () => 'the healthy agents in proportion to their weights; upgrades over TCP, the rest over gRPC',
  };
}

/** The strategy as an extension. */
export const weighted = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'routing-strategy',
  name: 'weighted',
  summary: 'Agents get shares of the traffic in proportion to their weights (giraffe tunnel --weight).',
  options: z.strictObject({}).describe('It has no options; each agent says its weight.'),
  create: async () => createWeightedStrategy(),
});
