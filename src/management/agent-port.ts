/** What the agent's local API may know of the agent: a few read-only answers, and never the agent itself. */
import type { EndpointFigures } from '../telemetry/exchange-tally.ts';
import type { PullExporter } from './metrics-routes.ts';

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
export interface LocalFigures extends EndpointFigures {
  readonly domain: string;
}

/** Figures of an agent. */
export interface LocalStats {
  readonly startedAt: Date;
  readonly takenAt: Date;
  /** Which carriers are up; undefined while the tunnels do not serve. */
  readonly mode: 'hybrid' | 'grpc' | 'tcp' | undefined;
  readonly tunnels: readonly LocalFigures[];
  /** Of the process, in octets. */
  readonly memory: { readonly heap: number; readonly external: number; readonly resident: number };
}

/** The view of an agent that its local API shows. */
export interface AgentPort {
  /** Whether the tunnels serve now. */
  isReady(): boolean;
  /** The tunnels, in the order in which they were asked for; none before the edge has admitted them. */
  tunnels(): readonly LocalTunnel[];
  stats(): LocalStats;
  /** Takes note of an error that should not have happened. */
  noteFault(error: Error): void;
  /** Metrics exporters that are asked for their text, in the order of the configuration. */
  pullExporters(): readonly PullExporter[];
}
