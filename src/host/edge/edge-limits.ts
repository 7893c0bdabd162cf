/** Turns settings into the bounds of an edge. Pure. */
import type { EdgeSettings } from '../../config/edge-settings.ts';
import { defaultEdgeLimits, type EdgeLimits } from '../../edge/edge-options.ts';

/** Returns the bounds that settings ask for; what no setting is about has its default. */
export function edgeLimits(settings: EdgeSettings): EdgeLimits {
  return {
    ...defaultEdgeLimits,
    maxStreams: settings.maxStreams,
    maxMessageBytes: settings.maxMessageSize,
    keepAliveMs: settings.keepAlive,
    requestTimeoutMs: settings.requestTimeout,
    reconnectGraceMs: settings.reconnectGrace,
    maxConnections: settings.maxConnections,
    maxHeadBytes: settings.maxHeaderSize,
    headTimeoutMs: settings.headerTimeout,
    bodyIdleTimeoutMs: settings.bodyIdleTimeout,
    keepAliveTimeoutMs: settings.idleConnectionTimeout,
  };
}
