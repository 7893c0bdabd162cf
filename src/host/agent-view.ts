/** Keeps what the agent's local API shows, from the agent's own events. */
import type { AgentEvent } from '../agent/agent-options.ts';
import type { AgentFigures } from '../agent/figures.ts';
import type { AgentPort, LocalFigures, LocalTunnel } from '../management/agent-port.ts';

/** The view of one agent, or of one after the other. */
export class AgentView implements AgentPort {
  readonly #figures: AgentFigures;
  #tunnels: readonly LocalTunnel[] = [];
  #isReady = false;

  constructor(figures: AgentFigures) {
    this.#figures = figures;
  }

  /** Takes note of an event. @param names Names that the agent's tunnels have in the configuration file. */
  note(event: AgentEvent, names: readonly (string | undefined)[]): void {
    if (event.type === 'ready') {
      this.#isReady = true;
      this.#tunnels = event.tunnels.map((tunnel, index) => ({ name: names[index], ...tunnel }));
    } else if (event.type === 'reconnecting' || event.type === 'closed') {
      this.#isReady = false;
    }
  }

  isReady(): boolean {
    return this.#isReady;
  }

  tunnels(): readonly LocalTunnel[] {
    return this.#tunnels;
  }

  stats(): readonly LocalFigures[] {
    return [...this.#figures.tallies].map(([domain, tally]) => ({ domain, ...tally }));
  }
}
