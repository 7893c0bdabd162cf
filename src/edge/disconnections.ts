/**
 * What the operator has taken from which agents, so that none of them has it again by itself: neither one that missed the
 * word, nor one that was away, nor one whose HELLO was being checked. Whoever starts an agent again has another one.
 *
 * Pure: who serves what now is for the route table, and when somebody is told is for the acceptor.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Agents that are remembered of each kind; one that is forgotten may open again what was taken from it. */
const maxAgents = 10_000;

/** What was disconnected while one HELLO was being checked. */
export type PendingHello = ReadonlySet<string>;

/** What an agent hears of an endpoint that was taken from it. */
export function disconnectedError(host: string): GiraffeError {
  return new GiraffeError('GIR_ERR_DISCONNECTED', `the operator of the edge has disconnected ${host}`);
}

/** The disconnections of one edge. An agent is known by {@link SessionIdentity.run}. */
export class Disconnections {
  readonly #taken = new Map<string, Set<string>>();
  /** What agents served when they were lost. */
  readonly #away = new Map<string, readonly string[]>();
  readonly #pending = new Set<Set<string>>();

  /** A HELLO is being checked, until it is {@link settled}. */
  begin(): PendingHello {
    const pending = new Set<string>();
    this.#pending.add(pending);
    return pending;
  }

  /** The HELLO is answered. */
  settled(pending: PendingHello): void {
    this.#pending.delete(pending as Set<string>);
  }

  /** Returns which of the endpoints that an agent asks for it cannot have, and keeps in mind that it was told. */
  refused(run: string, endpoints: readonly string[], pending: PendingHello): readonly string[] {
    const taken = this.#taken.get(run);
    const refused = endpoints.filter((host) => taken?.has(host) || pending.has(host));
    for (const host of refused) this.#take(run, host);
    return refused;
  }

  /** An agent serves: whatever it served before it was lost, it does not come back for that any more. */
  opened(run: string): void {
    this.#away.delete(run);
  }

  /** An agent that served these endpoints was lost, and may come back. */
  lost(run: string, endpoints: readonly string[]): void {
    remember(this.#away, run, endpoints);
  }

  /** Takes an endpoint from the agents that serve it, from those that may come back for it, and from who asks for it now. */
  take(host: string, serving: Iterable<string>): void {
    for (const run of serving) this.#take(run, host);
    for (const [run, endpoints] of this.#away) if (endpoints.includes(host)) this.#take(run, host);
    for (const pending of this.#pending) pending.add(host);
  }

  #take(run: string, host: string): void {
    remember(this.#taken, run, (this.#taken.get(run) ?? new Set()).add(host));
  }
}

/** Sets an entry, the newest, and forgets the oldest one beyond the bound. */
function remember<Value>(entries: Map<string, Value>, key: string, value: Value): void {
  entries.delete(key);
  entries.set(key, value);
  const [oldest] = entries.keys();
  if (oldest !== undefined && entries.size > maxAgents) entries.delete(oldest);
}
