/**
 * The default routing strategy: HTTP over gRPC, upgrades over TCP, and whichever
 * is left when one of them is down. Among agents, healthy ones first, then the
 * one with the fewest exchanges in flight, then each in turn.
 */
import * as z from 'zod';
import {
  type Candidate,
  defineExtension,
  extensionApiVersion,
  type NonEmpty,
  type RoutingRequest,
  type RoutingStrategy,
  type Transport,
} from '../../extension/index.ts';

const pathPrefix = z.string().startsWith('/');

const optionsSchema = z.strictObject({
  forceGrpcPaths: z
    .array(pathPrefix)
    .default(['/api/', '/assets/', '/media/', '/static/'])
    .describe('Path prefixes of requests that go over gRPC. Looked at before forceTcpPaths.'),
  forceTcpPaths: z
    .array(pathPrefix)
    .default(['/ws/', '/websocket/', '/socket.io/'])
    .describe('Path prefixes of requests that go over TCP.'),
});

/** Options of the hybrid strategy, defaults filled in. */
export type HybridOptions = z.output<typeof optionsSchema>;

/** Creates the strategy itself, without the plugin around it. */
export function createHybridStrategy({ forceGrpcPaths, forceTcpPaths }: HybridOptions): RoutingStrategy {
  const transportFor = ({ isUpgrade, path }: RoutingRequest): Transport => {
    if (isUpgrade) return 'tcp';
    if (forceGrpcPaths.some((prefix) => path.startsWith(prefix))) return 'grpc';
    return forceTcpPaths.some((prefix) => path.startsWith(prefix)) ? 'tcp' : 'grpc';
  };
  let turn = 0;
  return {
    select(candidates, request) {
      turn = (turn + 1) % candidates.length;
      return best(candidates, transportFor(request), turn);
    },
  };
}

/** The best candidate; among equals, the one nearest behind `first`. */
function best(candidates: NonEmpty<Candidate>, transport: Transport, first: number): Candidate {
  let chosen = candidates[first] ?? candidates[0];
  for (const candidate of candidates) {
    if (isBetter(candidate, chosen, transport)) chosen = candidate;
  }
  return chosen;
}

function isBetter(a: Candidate, b: Candidate, transport: Transport): boolean {
  if (a.isHealthy !== b.isHealthy) return a.isHealthy;
  if (a.sessionId === b.sessionId) return a.transport === transport && b.transport !== transport;
  return a.inFlight < b.inFlight;
}

/** The strategy as an extension. */
export const hybrid = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'routing-strategy',
  name: 'hybrid',
  summary: 'HTTP over gRPC, upgrades over TCP; the other one when one is down. The default.',
  options: optionsSchema,
  create: async (options) => createHybridStrategy(options),
});
