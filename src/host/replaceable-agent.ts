/**
 * An agent whose options can change while it runs: another agent joins the endpoints beside the first one, and once it
 * serves, the first one leaves and finishes what it has in flight. For the edge they are two agents, so nothing is lost.
 */
import { startAgent } from '../agent/agent.ts';
import type { Agent, AgentEvent, AgentListener, AgentOptions } from '../agent/agent-options.ts';
import { createDeferred } from '../agent/deferred.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Time for another agent to serve before the change is given up, in milliseconds. */
const replaceTimeoutMs = 30_000;

/** One agent after the other. */
export class ReplaceableAgent implements AsyncDisposable {
  readonly #listener: AgentListener;
  /** Undefined: it serves. */
  readonly #ready = createDeferred<GiraffeError | undefined>();
  readonly #closed = createDeferred<GiraffeError | undefined>();
  readonly #leaving = new Set<Agent>();
  /** The one that joins and does not serve yet. */
  #joining: Agent | undefined;
  #agent: Agent;

  /** Starts the first agent. `listener` hears of the one in force, and of the requests of all. */
  constructor(options: AgentOptions, listener: AgentListener) {
    this.#listener = listener;
    this.#agent = startAgent(options, (event) => this.#hear(first, event));
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
    let ready: AgentEvent | undefined;
    const next = startAgent(options, (event) => {
      if (event.type === 'ready') ready ??= event;
      this.#hear(next, event);
    });
    this.#joining = next;
    try {
      await withinTime(next.ready, replaceTimeoutMs);
    } catch (error) {
      await next[Symbol.asyncDispose]();
      throw error;
    } finally {
      this.#joining = undefined;
    }
    const former = this.#agent;
    this.#agent = next;
    this.#follow(next);
    if (ready !== undefined) this.#listener(ready);
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
    if (isInForce || event.type === 'request') this.#listener(event);
  }
}

async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const detail = `no session with the changed configuration within ${timeoutMs} ms`;
    timer = setTimeout(() => reject(new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', detail)), timeoutMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
