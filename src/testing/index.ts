/** Checks that an extension keeps its contract, as `giraffe-tunnel/testing`. */
export { authProviderKit } from './auth-provider-kit.ts';
export { certificateSourceKit } from './certificate-source-kit.ts';
export type { ConformanceCheck } from './conformance.ts';
export { metricsExporterKit } from './metrics-exporter-kit.ts';
export { routingStrategyKit } from './routing-strategy-kit.ts';
