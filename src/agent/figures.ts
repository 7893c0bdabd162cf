/** Counts what happens at an agent, per endpoint of its own. Agents that replace one another share one. */

/** Figures of one endpoint. */
export interface AgentTally {
  /** Exchanges that began; each is in flight, or has ended with a response or an error. */
  requests: number;
  responses: number;
  /** Those that failed, and those that the edge gave up because its client did. */
  errors: number;
  /** Sessions after the first one. */
  reconnects: number;
}

/** The figures of all endpoints. */
export class AgentFigures {
  readonly #tallies = new Map<string, AgentTally>();

  /** Returns the tally of an endpoint, which must be one of the agent's own. */
  tally(endpoint: string): AgentTally {
    const known = this.#tallies.get(endpoint);
    if (known !== undefined) return known;
    const tally: AgentTally = { requests: 0, responses: 0, errors: 0, reconnects: 0 };
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
  get tallies(): ReadonlyMap<string, Readonly<AgentTally>> {
    return this.#tallies;
  }
}
