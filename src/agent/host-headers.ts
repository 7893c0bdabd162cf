/**
 * Decides how the Host of each exchange is made: as its tunnel or the agent is set, `auto` resolved by what is known of
 * the origin.
 */
import { type AgentTunnel, type HostHeader, systemOriginTls } from './agent-options.ts';
import { HostGuess } from './host-guess.ts';
import type { OriginPool } from './origin-pool.ts';
import { OriginDialer } from './origin-socket.ts';

/** One decision, and whom to tell what came of it. */
export interface HostDecision {
  readonly hostHeader: Exclude<HostHeader, 'auto'>;
  /** Undefined unless it was decided by a guess. */
  readonly guess: HostGuess | undefined;
}

/** The Host headers of one agent. */
export class HostHeaders {
  readonly #usual: HostHeader;
  /** By pool, and by endpoint: a server may take one name and refuse another. Both are the agent's own, and few. */
  readonly #guesses = new Map<OriginPool, Map<string, HostGuess>>();

  /** @param usual For tunnels that do not say anything else. */
  constructor(usual: HostHeader) {
    this.#usual = usual;
  }

  /** Returns how Host is made for an exchange of an endpoint. The first time it takes a look at the origin. */
  decide(tunnel: AgentTunnel, endpoint: string, pool: OriginPool): HostDecision {
    const wanted = tunnel.hostHeader ?? this.#usual;
    if (wanted !== 'auto') return { hostHeader: wanted, guess: undefined };
    const guess = this.#guessFor(tunnel, endpoint, pool);
    return { hostHeader: guess.hostHeader, guess };
  }

  /** The origin can be reached again; it may be another one. */
  lookAgain(pool: OriginPool): void {
    for (const guess of this.#guesses.get(pool)?.values() ?? []) void guess.look();
  }

  #guessFor(tunnel: AgentTunnel, endpoint: string, pool: OriginPool): HostGuess {
    const guesses = this.#guesses.get(pool) ?? new Map<string, HostGuess>();
    const known = guesses.get(endpoint);
    if (known !== undefined) return known;
    const guess = new HostGuess(new OriginDialer(pool.target, tunnel.originTls ?? systemOriginTls), endpoint);
    this.#guesses.set(pool, guesses.set(endpoint, guess));
    void guess.look();
    return guess;
  }
}
