/**
 * An agent whose options can change while it runs: another agent joins the endpoints beside the first one, and once it
 * serves, the first one leaves and finishes what it has in flight. For the edge they are two agents, so nothing is lost.
 */

import { randomBytes } from 'node:crypto';
import { startAgent } from '../../agent/agent.ts';
import type { Agent, AgentEvent, AgentListener, AgentOptions } from '../../agent/agent-options.ts';
import { createDeferred } from '../../agent/deferred.ts';
import { durationText } from '../../errors/duration-text.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { within } from '../lifecycle/within.ts';

/** Time for another agent to serve before the change is given up, in milliseconds. */
const replaceTimeoutMs = 30_000;

type EventOf<Type extends AgentEvent['type']> = Extract<AgentEvent, { type: Type }>;

/** One agent after the other. */
export class ReplaceableAgent implements AsyncDisposable {
  readonly #listener: AgentListener;
  readonly #run = randomBytes(12).toString('base64url');
  /** Undefined: it serves. */
  readonly #ready = createDeferred<GiraffeError | undefined>();
  readonly #closed = createDeferred<GiraffeError | undefined>();
  readonly #leaving = new Set<Agent>();
  /** Endpoints that the listener knows to be withdrawn. */
  readonly #withdrawn = new Set<string>();
  /** The one that joins and does not serve yet. */
  #joining: Agent | undefined;
  #agent: Agent;

  /** Starts the first agent. `listener` hears of the one in force, and of the requests of all. */
  constructor(options: AgentOptions, listener: AgentListener) {
    this.#listener = listener;
    this.#agent = startAgent({ ...options, run: this.#run }, (event) => this.#hear(first, event));
    const first = this.#agent;
    this.#follow(first);
  }

  /** Resolves when the agent in force serves for the first time; rejects when it is refused for good or closed first. */
  get ready(): Promise<void> {
    return this.#ready.promise.then((error) => {
      if (error !== undefined) throw error;
    });
  }

  /** Resolves when the agent in force has ended, with the refusal if it was refused. */
  get closed(): Promise<GiraffeError | undefined> {
    return this.#closed.promise;
  }

  /**
   * Replaces the agent by one with other options. Resolves when the new one serves; the former one stays for as long as
   * it has exchanges or relays in flight.
   *
   * @throws {GiraffeError} Why the new one cannot serve; the former one then goes on.
   */
  async replace(options: AgentOptions): Promise<void> {
    const joining = new JoiningEvents();
    const next = startAgent({ ...options, run: this.#run }, (event) => {
      joining.note(event);
      this.#hear(next, event);
    });
    this.#joining = next;
    try {
      if ((await within(replaceTimeoutMs, next.ready)) === 'late') {
        const detail = `no session with the changed configuration within ${durationText(replaceTimeoutMs)}`;
        throw new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', detail);
      }
    } catch (error) {
      await next[Symbol.asyncDispose]();
      throw error;
    } finally {
      this.#joining = undefined;
    }
    const former = this.#agent;
    this.#agent = next;
    this.#follow(next);
    for (const event of joining.untold(this.#withdrawn)) this.#listener(event);
    this.#leaving.add(former);
    void former.drain(Number.POSITIVE_INFINITY).finally(() => this.#leaving.delete(former));
  }

  /** As {@link Agent.drain}, of all agents. */
  async drain(deadlineMs: number): Promise<void> {
    const agents = [this.#agent, ...this.#leaving];
    await Promise.all([...agents.map((agent) => agent.drain(deadlineMs)), this.#joining?.[Symbol.asyncDispose]()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #follow(agent: Agent): void {
    agent.ready.then(
      () => this.#ready.resolve(undefined),
      (error: unknown) => {
        if (this.#agent === agent) this.#ready.resolve(GiraffeError.from(error));
      },
    );
    void agent.closed.then((reason) => {
      if (this.#agent === agent) this.#closed.resolve(reason);
    });
  }

  /** Of agents that come or go only their requests are told. */
  #hear(agent: Agent, event: AgentEvent): void {
    const isInForce = agent === this.#agent;
    if (isInForce && event.type === 'withdrawn') this.#withdrawn.add(event.domain);
    if (isInForce || event.type === 'request') this.#listener(event);
  }
}

/** What an agent tells before it is in force, as far as it counts then. */
class JoiningEvents {
  #ready: EventOf<'ready'> | undefined;
  readonly #withdrawn: EventOf<'withdrawn'>[] = [];

  note(event: AgentEvent): void {
    if (event.type === 'ready') this.#ready ??= event;
    if (event.type === 'withdrawn') this.#withdrawn.push(event);
  }

  /** Returns what is to be told. @param known Endpoints that are known to be withdrawn. */
  untold(known: ReadonlySet<string>): AgentEvent[] {
    const gone = new Set(this.#withdrawn.map(({ domain }) => domain));
    const ready = this.#ready && {
      ...this.#ready,
      tunnels: this.#ready.tunnels.filter(({ domain }) => !gone.has(domain)),
    };
    return [...this.#withdrawn.filter(({ domain }) => !known.has(domain)), ...(ready === undefined ? [] : [ready])];
  }
}
