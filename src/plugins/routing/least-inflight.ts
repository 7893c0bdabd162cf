/**
 * The routing strategy `least-inflight`: the healthy agent that has the least to do, and among equals each in turn.
 */
import * as z from 'zod';
import { defineExtension, extensionApiVersion, type RoutingStrategy } from '../../extension/index.ts';
import { leastInFlight, usualTransport } from './preference.ts';

/** Creates the strategy. */
export function createLeastInFlightStrategy(): RoutingStrategy {
  let turn = 0;
  return {
    select(candidates, request) {
      turn = (turn + 1) % candidates.length;
      return { candidate: leastInFlight(candidates, usualTransport(request), turn) };
    },
    explain: () => 'the healthy agent with the fewest exchanges in flight; upgrades over TCP, the rest over gRPC',
  };
}

/** The strategy as an extension. */
export const leastInflight = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'routing-strategy',
  name: 'least-inflight',
  summary: 'The healthy agent with the fewest exchanges in flight.',
  options: z.strictObject({}).describe('It has no options.'),
  create: async () => createLeastInFlightStrategy(),
});
