/**
 * In which order candidates are preferred. Every strategy has this in common: a healthy one before one that is not, and
 * the same agent over the wanted transport before the other one, which takes over when the wanted one is down.
 */
import type { Candidate, NonEmpty, RoutingRequest, Transport } from '../../extension/index.ts';

/** Returns the transport that a request takes unless somebody says otherwise: upgrades TCP, the rest gRPC. */
export function usualTransport({ isUpgrade }: RoutingRequest): Transport {
  return isUpgrade ? 'tcp' : 'grpc';
}

/** Returns the candidate with the fewest exchanges in flight; among equals, the one nearest behind `first`. */
export function leastInFlight(candidates: NonEmpty<Candidate>, transport: Transport, first: number): Candidate {
  let chosen = candidates[first % candidates.length] ?? candidates[0];
  for (const candidate of candidates) {
    if (isBetter(candidate, chosen, transport)) chosen = candidate;
  }
  return chosen;
}

function isBetter(a: Candidate, b: Candidate, transport: Transport): boolean {
  if (a.isHealthy !== b.isHealthy) return a.isHealthy;
  if (a.sessionId === b.sessionId) return a.transport === transport && b.transport !== transport;
  return a.inFlight < b.inFlight;
}

/**
 * Returns one candidate for each agent, in the order of the agents' ids: of those that are healthy, or of all when none
 * is, each over `transport` where it has it.
 */
export function onePerAgent(candidates: NonEmpty<Candidate>, transport: Transport): NonEmpty<Candidate> {
  const healthy = candidates.filter(({ isHealthy }) => isHealthy);
  const byAgent = new Map<string, Candidate>();
  for (const candidate of healthy.length === 0 ? candidates : healthy) {
    const { agentId } = candidate;
    if (candidate.transport === transport || !byAgent.has(agentId)) byAgent.set(agentId, candidate);
  }
  const [first = candidates[0], ...rest] = [...byAgent.values()].sort((a, b) => (a.agentId < b.agentId ? -1 : 1));
  return [first, ...rest];
}

/** Keeps something for each endpoint, up to a number of endpoints; then it begins anew. */
export class PerEndpoint<T> {
  readonly #values = new Map<string, T>();
  readonly #max: number;

  /** @param max Endpoints, a count. */
  constructor(max = 10_000) {
    this.#max = max;
  }

  get(host: string): T | undefined {
    return this.#values.get(host);
  }

  set(host: string, value: T): void {
    if (this.#values.size >= this.#max && !this.#values.has(host)) this.#values.clear();
    this.#values.set(host, value);
  }
}
