/**
 * Which sessions serve which endpoint. An endpoint has a set of them, never an
 * exclusive owner; the same agent coming back takes the place of its old session.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { EdgeOptions } from './edge-options.ts';
import type { EdgeSession } from './edge-session.ts';

/** Endpoints that are remembered as deserted; of one that is forgotten, requests wait in vain. */
const maxDeserted = 10_000;

/** The route table of one edge. */
export class RouteTable {
  readonly #known: EdgeOptions['knownEndpoints'];
  readonly #sessions = new Map<string, EdgeSession>();
  readonly #byHost = new Map<string, Set<EdgeSession>>();
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Endpoints that nobody comes back for, the oldest first. None of them is served. */
  readonly #deserted = new Set<string>();

  constructor(known: EdgeOptions['knownEndpoints']) {
    this.#known = known;
  }

  /** All sessions. */
  get sessions(): Iterable<EdgeSession> {
    return this.#sessions.values();
  }

  /** Endpoints that are served now. */
  get hosts(): Iterable<string> {
    return this.#byHost.keys();
  }

  /** The session with this id. */
  session(id: string): EdgeSession | undefined {
    return this.#sessions.get(id);
  }

  /** Sessions that serve `host`; undefined when no tunnel ever had this address. */
  find(host: string): ReadonlySet<EdgeSession> | undefined {
    return this.#byHost.get(host) ?? (this.#known.has(host) ? noSessions : undefined);
  }

  /** True when a session serves `host` now. */
  isServed(host: string): boolean {
    return this.#byHost.has(host);
  }

  /** Adds a session and closes the ones it replaces. */
  add(session: EdgeSession): void {
    const replaced = [...this.#sessions.values()].filter((other) => isReplacedBy(other, session));
    this.#sessions.set(session.identity.id, session);
    for (const host of session.endpoints) {
      const serving = this.#byHost.get(host);
      if (serving === undefined) this.#byHost.set(host, new Set([session]));
      else serving.add(session);
      if (!session.identity.passing.includes(host)) this.#known.add(host);
      this.#deserted.delete(host);
      this.#wake(host);
    }
    for (const other of replaced) {
      this.remove(other);
      other.close(new GiraffeError('GIR_ERR_SESSION_REPLACED'));
    }
  }

  /** Removes a session. Safe to call twice. */
  remove(session: EdgeSession): void {
    this.#sessions.delete(session.identity.id);
    for (const host of session.endpoints) this.release(session, host);
  }

  /** Sends a session nothing more for one endpoint. Safe to call twice. */
  release(session: EdgeSession, host: string): void {
    const serving = this.#byHost.get(host);
    serving?.delete(session);
    if (serving?.size === 0) this.#byHost.delete(host);
  }

  /** Notes that no agent will come back for an endpoint, which none serves any more; who waits for one is woken. */
  desert(host: string): void {
    this.#deserted.delete(host);
    this.#deserted.add(host);
    const [oldest] = this.#deserted;
    if (oldest !== undefined && this.#deserted.size > maxDeserted) this.#deserted.delete(oldest);
    this.#wake(host);
  }

  /** Whether an agent of `host` that is away may come back by itself. */
  isAwaited(host: string): boolean {
    return !this.#deserted.has(host);
  }

  /** Wakes those who wait for an agent of these endpoints: a way to one has come up. */
  wake(session: EdgeSession): void {
    for (const host of session.endpoints) this.#wake(host);
  }

  /** Calls `onServed` once when a way to an agent of `host` comes up; returns a function that gives up waiting. */
  waitFor(host: string, onServed: () => void): () => void {
    const waiting = this.#waiting.get(host) ?? new Set();
    this.#waiting.set(host, waiting);
    waiting.add(onServed);
    return () => {
      waiting.delete(onServed);
      if (waiting.size === 0 && this.#waiting.get(host) === waiting) this.#waiting.delete(host);
    };
  }

  #wake(host: string): void {
    const waiting = this.#waiting.get(host);
    this.#waiting.delete(host);
    for (const onServed of waiting ?? []) onServed();
  }
}

const noSessions: ReadonlySet<EdgeSession> = new Set();

/** The same agent of the same principal, in an older generation. */
function isReplacedBy(older: EdgeSession, newer: EdgeSession): boolean {
  const [a, b] = [older.identity, newer.identity];
  return a.principal.id === b.principal.id && a.agentId === b.agentId && a.generation < b.generation;
}
