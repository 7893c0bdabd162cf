/**
 * The routing strategy `round-robin`: the healthy agents of an endpoint one after the other.
 */
import * as z from 'zod';
import { defineExtension, extensionApiVersion, type RoutingStrategy } from '../../extension/index.ts';
import { onePerAgent, PerEndpoint, usualTransport } from './preference.ts';

/** Creates the strategy. */
export function createRoundRobinStrategy(): RoutingStrategy {
  const turns = new PerEndpoint<number>();
  return {
    select(candidates, request) {
      const agents = onePerAgent(candidates, usualTransport(request));
      const turn = turns.get(request.host) ?? 0;
      turns.set(request.host, (turn + 1) % agents.length);
      return { candidate: agents[turn % agents.length] };
    },
    explain: () => 'the healthy agents of the endpoint in turn; upgrades over TCP, the rest over gRPC',
  };
}

/** The strategy as an extension. */
export const roundRobin = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'routing-strategy',
  name: 'round-robin',
  summary: 'The healthy agents of an endpoint one after the other.',
  options: z.strictObject({}).describe('It has no options.'),
  create: async () => createRoundRobinStrategy(),
});
