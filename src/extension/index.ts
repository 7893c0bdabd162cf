/** Everything a plugin author needs, as `giraffe-tunnel/extension`. */
export type { FieldLine, FieldLines } from '../http/field-line.ts';
export type { Logger } from '../telemetry/logger.ts';
export {
  defineExtension,
  type Extension,
  type ExtensionContext,
  type ExtensionInstances,
  type ExtensionKind,
  type ExtensionsHook,
  extensionApiVersion,
} from './contract.ts';
export type { Candidate, NonEmpty, RoutingRequest, RoutingStrategy, Transport } from './routing-strategy.ts';
