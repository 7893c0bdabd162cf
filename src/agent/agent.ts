/**
 * A running agent: puts its parts together, and gives it one beginning and one end.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { AgentIdentity } from './agent-identity.ts';
import type { Agent, AgentEvent, AgentListener, AgentOptions } from './agent-options.ts';
import { Connector } from './connector.ts';
import { createDeferred } from './deferred.ts';
import { EdgeDialer } from './edge-dialer.ts';
import { ExchangeAcceptor } from './exchange-acceptor.ts';
import { AgentFigures } from './figures.ts';

/** Starts an agent. It keeps the process alive until it is drained or refused. */
export function startAgent(options: AgentOptions, listener: AgentListener): Agent {
  return new RunningAgent(options, listener);
}

class RunningAgent implements Agent {
  readonly #listener: AgentListener;
  readonly #acceptor: ExchangeAcceptor;
  readonly #connector: Connector;
  readonly #ready = createDeferred<void>();
  readonly #closed: Promise<GiraffeError | undefined>;
  readonly #figures: AgentFigures;
  #hasServed = false;
  #drained: Promise<void> | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: AgentOptions, listener: AgentListener) {
    this.#listener = listener;
    this.#figures = options.figures ?? new AgentFigures();
    const emit = (event: AgentEvent): void => this.#emit(event);
    this.#acceptor = new ExchangeAcceptor(options, emit, this.#figures);
    this.#connector = new Connector({
      options,
      identity: new AgentIdentity(options),
      dialer: new EdgeDialer(options.server.host, options.trust, options.clientCertificate),
      acceptor: this.#acceptor,
      emit,
    });
    this.#closed = this.#run();
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get closed(): Promise<GiraffeError | undefined> {
    return this.#closed;
  }

  async drain(deadlineMs: number): Promise<void> {
    // A second call may only make it shorter.
    this.#deadlineMs = Math.min(this.#deadlineMs, performance.now() + deadlineMs);
    this.#drained ??= this.#connector.drain(() => performance.now() >= this.#deadlineMs);
    await this.#drained;
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #run(): Promise<GiraffeError | undefined> {
    // The owner has the agent in hands before the first event.
    await Promise.resolve();
    this.#acceptor.health.start();
    const refusal = await this.#connector.run();
    if (refusal === undefined) await this.#drained;
    else await this.#connector.close(refusal);
    this.#acceptor.close();
    this.#ready.reject(refusal ?? new GiraffeError('GIR_ERR_CANCELLED', 'the agent was closed before it served'));
    this.#emit({ type: 'closed', error: refusal });
    return refusal;
  }

  #emit(event: AgentEvent): void {
    if (event.type === 'ready') {
      const endpoints = event.tunnels.map(({ domain }) => domain);
      this.#figures.served(endpoints, this.#hasServed);
      this.#hasServed = true;
      this.#ready.resolve();
    }
    this.#listener(event);
  }
}
