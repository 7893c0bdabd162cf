/** What programs import from `giraffe-tunnel`: a tunnel, or a whole edge, inside a program of one's own. */
export type { AgentMode } from '../agent/agent-options.ts';
export type { GiraffeConfig } from '../config/config-schema.ts';
export type { ErrorCode } from '../errors/codes.ts';
export { GiraffeError } from '../errors/giraffe-error.ts';
export type { Logger } from '../telemetry/logger.ts';
export { openTunnel, type Tunnel, type TunnelEvent, type TunnelOptions } from './open-tunnel.ts';
export { type EdgeOptions, type RunningEdge, startEdge } from './start-edge.ts';
