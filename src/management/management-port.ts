/** What the management API may know of an edge: a few read-only answers, and never the edge itself. */

import type { PullExporter } from './metrics-routes.ts';

/** Figures of one tunnel, counted since the edge started. */
export interface TunnelFigures {
  readonly domain: string;
  readonly sessions: number;
  readonly requests: number;
  readonly responses: number;
  readonly errors: number;
  readonly inFlight: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly reconnects: number;
  readonly transports: { readonly grpc: number; readonly tcp: number; readonly upgrades: number };
}

/** The view of an edge that the API shows. */
export interface ManagementPort {
  /** Whether the edge takes new requests: all listeners accept, and it does not drain. */
  isReady(): boolean;
  /** Figures per endpoint. */
  stats(): readonly TunnelFigures[];
  /** Metrics exporters that are asked for their text, in the order of the configuration. */
  pullExporters(): readonly PullExporter[];
  /** Tells whether a token is the admin token, in constant time. */
  authenticateAdmin(token: string): boolean;
}
