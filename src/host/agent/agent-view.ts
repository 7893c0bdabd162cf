/** Keeps what the agent's local API shows, from the agent's own events. */
import { performance } from 'node:perf_hooks';
import type { AgentEvent, AgentMode } from '../../agent/agent-options.ts';
import type { AgentFigures } from '../../agent/figures.ts';
import type { AgentPort, LocalStats, LocalTunnel } from '../../management/agent-port.ts';
import type { PullExporter } from '../../management/metrics-routes.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRunner } from '../metrics/metrics-runner.ts';
import type { AgentSurroundings } from './agent-options-of.ts';

/** The view of one agent, or of one after the other. */
export class AgentView implements AgentPort {
  readonly #figures: AgentFigures;
  readonly #metrics: Pick<MetricsRunner, 'pullExporters'>;
  readonly #logger: Logger;
  #tunnels: readonly LocalTunnel[] = [];
  #mode: AgentMode | undefined;

  constructor({ figures, logger }: AgentSurroundings, metrics: Pick<MetricsRunner, 'pullExporters'>) {
    this.#figures = figures;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Takes note of an event. */
  note(event: AgentEvent): void {
    switch (event.type) {
      case 'ready':
        this.#tunnels = event.tunnels;
        this.#mode = event.mode;
        break;
      case 'withdrawn':
        this.#tunnels = this.#tunnels.filter(({ domain }) => domain !== event.domain);
        break;
      case 'mode':
        this.#mode = event.mode;
        break;
      case 'reconnecting':
      case 'closed':
        this.#mode = undefined;
        break;
      default:
        break;
    }
  }

  isReady(): boolean {
    return this.#mode !== undefined;
  }

  tunnels(): readonly LocalTunnel[] {
    return this.#tunnels;
  }

  stats(): LocalStats {
    const { startedAt, tallies } = this.#figures;
    const nowMs = performance.now();
    const { heapUsed, external, rss } = process.memoryUsage();
    return {
      startedAt,
      takenAt: new Date(),
      mode: this.#mode,
      tunnels: [...tallies].map(([domain, tally]) => ({ domain, ...tally.read(nowMs) })),
      memory: { heap: heapUsed, external, resident: rss },
    };
  }

  noteFault({ message, stack }: Error): void {
    this.#logger.error({ detail: message, stack }, 'fault of the local API');
  }

  pullExporters(): readonly PullExporter[] {
    return this.#metrics.pullExporters;
  }
}
