/** Holds back the word that a tunnel is ready until it is true in the sense that was asked for. */
import type { AgentEvent } from '../../../agent/agent-options.ts';
import { createDeferred } from '../../../agent/deferred.ts';
import { GiraffeError } from '../../../errors/giraffe-error.ts';

type ReadyEvent = Extract<AgentEvent, { type: 'ready' }>;

/** Stands between an agent and those who are told of its events. */
export class ReadyGate {
  readonly #show: (event: AgentEvent) => void;
  readonly #withdrawn = createDeferred<GiraffeError>();
  #isOpen = false;
  #held: ReadyEvent | undefined;

  /** @param show Is told of all events, `ready` only once the gate is open. */
  constructor(show: (event: AgentEvent) => void) {
    this.#show = show;
  }

  /** Resolves when the edge takes a tunnel before the gate is open: then not all that was asked for can be ready. */
  get withdrawn(): Promise<GiraffeError> {
    return this.#withdrawn.promise;
  }

  /** Passes an event on, or keeps it. */
  pass(event: AgentEvent): void {
    if (this.#isOpen) return this.#show(event);
    if (event.type === 'withdrawn') this.#lacks(event);
    if (event.type === 'ready') this.#held = event;
    else if (event.type === 'mode' && this.#held !== undefined) this.#held = { ...this.#held, ...event, type: 'ready' };
    else this.#show(event);
  }

  /** From now on everything passes, and first what was held back, which is returned. */
  open(): ReadyEvent | undefined {
    const held = this.#held;
    this.#isOpen = true;
    this.#held = undefined;
    if (held !== undefined) this.#show(held);
    return held;
  }

  #lacks({ domain, error }: Extract<AgentEvent, { type: 'withdrawn' }>): void {
    this.#held = without(this.#held, domain);
    const detail = `not all tunnels can be ready: ${error.message}`;
    this.#withdrawn.resolve(new GiraffeError(error.code, detail, { cause: error }));
  }
}

function without(held: ReadyEvent | undefined, withdrawn: string): ReadyEvent | undefined {
  return held && { ...held, tunnels: held.tunnels.filter(({ domain }) => domain !== withdrawn) };
}
