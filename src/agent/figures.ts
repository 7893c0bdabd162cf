/** Counts what happens at an agent, per endpoint of its own. Agents that replace one another share one. */
import { ExchangeTally } from '../telemetry/exchange-tally.ts';

/** The figures of all endpoints. */
export class AgentFigures {
  /** When counting began. */
  readonly startedAt = new Date();
  readonly #tallies = new Map<string, ExchangeTally>();

  /** Returns the tally of an endpoint, which must be one of the agent's own. */
  tally(endpoint: string): ExchangeTally {
    const known = this.#tallies.get(endpoint);
    if (known !== undefined) return known;
    const tally = new ExchangeTally();
    this.#tallies.set(endpoint, tally);
    return tally;
  }

  /** Counts a session that serves. */
  served(endpoints: readonly string[], isReconnect: boolean): void {
    for (const endpoint of endpoints) {
      const tally = this.tally(endpoint);
      if (isReconnect) tally.reconnects += 1;
    }
  }

  /** The figures by endpoint. */
  get tallies(): ReadonlyMap<string, ExchangeTally> {
    return this.#tallies;
  }
}
