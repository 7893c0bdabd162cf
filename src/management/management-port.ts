/** What the management API may know of an edge: a few read-only answers, and never the edge itself. */

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

/** A metrics exporter that answers GET requests. */
export interface PullExporter {
  readonly name: string;
  readonly contentType: string;
  /** Returns the figures of now. A throw has been logged. */
  render(): string;
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
