/** What the agent's local API may know of the agent: a few read-only answers, and never the agent itself. */

/** One tunnel that is open. */
export interface LocalTunnel {
  /** Its name in the configuration file; undefined for the one of the command line. */
  readonly name: string | undefined;
  readonly domain: string;
  /** Its public URL. */
  readonly url: string;
  readonly target: string;
}

/** Figures of one endpoint, counted since the agent started. */
export interface LocalFigures {
  readonly domain: string;
  readonly requests: number;
  readonly responses: number;
  readonly errors: number;
  readonly reconnects: number;
}

/** The view of an agent that its local API shows. */
export interface AgentPort {
  /** Whether the tunnels serve now. */
  isReady(): boolean;
  /** The tunnels, in the order in which they were asked for; none before the edge has admitted them. */
  tunnels(): readonly LocalTunnel[];
  /** Figures per endpoint. */
  stats(): readonly LocalFigures[];
}
