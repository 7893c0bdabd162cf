/** Everything a plugin author needs, as `giraffe-tunnel/extension`. */
export type { FieldLine, FieldLines } from '../http/field-line.ts';
export type { Logger } from '../telemetry/logger.ts';
export type { AgentCredential, AuthDecision, AuthProvider, VisitorDecision } from './auth-provider.ts';
export type { CertificateSource, PemCertificate } from './certificate-source.ts';
export {
  defineExtension,
  type Extension,
  type ExtensionContext,
  type ExtensionInstances,
  type ExtensionKind,
  type ExtensionsHook,
  extensionApiVersion,
} from './contract.ts';
export type {
  CounterMetric,
  GaugeMetric,
  HistogramMetric,
  Labels,
  Metric,
  MetricsExporter,
  MetricsSnapshot,
} from './metrics-exporter.ts';
export type {
  Candidate,
  FixedAnswer,
  NonEmpty,
  RoutingDecision,
  RoutingRequest,
  RoutingStrategy,
  Transport,
} from './routing-strategy.ts';
