/**
 * The default routing strategy: HTTP over gRPC, upgrades over TCP, and whichever
 * is left when one of them is down. Among agents, healthy ones first, then the
 * one with the fewest exchanges in flight, then each in turn.
 */
import * as z from 'zod';
import {
  defineExtension,
  extensionApiVersion,
  type RoutingRequest,
  type RoutingStrategy,
  type Transport,
} from '../../extension/index.ts';
import { leastInFlight } from './preference.ts';

const pathPrefix = z.string().startsWith('/');

/** The options, for strategies that fall back on this one. */
export const hybridOptions = {
  forceGrpcPaths: z
    .array(pathPrefix)
    .default(['/api/', '/assets/', '/media/', '/static/'])
    .describe('Path prefixes of requests that go over gRPC. Looked at before forceTcpPaths; upgrades go over TCP.'),
  forceTcpPaths: z
    .array(pathPrefix)
    .default(['/ws/', '/websocket/', '/socket.io/'])
    .describe('Path prefixes of requests that go over TCP.'),
};

const optionsSchema = z.strictObject(hybridOptions);

/** Options of the hybrid strategy, defaults filled in. */
export type HybridOptions = z.output<typeof optionsSchema>;

/** Creates the strategy itself, without the plugin around it. */
export function createHybridStrategy(options: HybridOptions): RoutingStrategy {
  let turn = 0;
  return {
    select(candidates, request) {
      turn = (turn + 1) % candidates.length;
      return { candidate: leastInFlight(candidates, hybridChoice(options, request).transport, turn) };
    },
    explain(request) {
      const { transport, reason } = hybridChoice(options, request);
      return `over ${transportName(transport)}, because ${reason()}`;
    },
  };
}

/** Returns the transport that this strategy prefers for a request, and a function that says why. */
export function hybridChoice(
  { forceGrpcPaths, forceTcpPaths }: HybridOptions,
  { isUpgrade, path }: RoutingRequest,
): { readonly transport: Transport; readonly reason: () => string } {
  if (isUpgrade) return { transport: 'tcp', reason: () => 'it is an upgrade' };
  const begins = (prefix: string): boolean => path.startsWith(prefix);
  if (forceGrpcPaths.some(begins)) return { transport: 'grpc', reason: () => why('forceGrpcPaths', forceGrpcPaths) };
  if (forceTcpPaths.some(begins)) return { transport: 'tcp', reason: () => why('forceTcpPaths', forceTcpPaths) };
  return { transport: 'grpc', reason: () => 'it is no upgrade and no path of forceTcpPaths' };

  function why(option: string, prefixes: readonly string[]): string {
    return `its path begins with ${prefixes.find(begins)} of ${option}`;
  }
}

/** Returns the name of a transport for people. */
export function transportName(transport: Transport): string {
  return transport === 'grpc' ? 'gRPC' : 'TCP';
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
