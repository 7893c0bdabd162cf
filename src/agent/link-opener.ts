/**
 * Opens the links of one session, and remembers why a kind of carrier could not be had.
 *
 * When to open which is for the session.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { CreditPool } from '../protocol/receive-window.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import type { AgentIdentity } from './agent-identity.ts';
import type { AgentEvent, AgentOptions } from './agent-options.ts';
import { limitedSignal, withSignal } from './deadline.ts';
import type { EdgeDialer } from './edge-dialer.ts';
import { noAnswer } from './edge-failure.ts';
import { Link, type LinkOwner } from './link.ts';

/** Streams per carrier unless the options say otherwise. */
const defaultMaxInboundStreams = 20_000;

/** What opening links takes. */
export interface LinkOpenerContext {
  readonly options: AgentOptions;
  readonly identity: AgentIdentity;
  readonly dialer: EdgeDialer;
  readonly emit: (event: AgentEvent) => void;
}

/** What a session gives its links. */
export interface LinkOpenerSession {
  readonly generation: number;
  readonly creditPool: CreditPool;
  /** Aborted when the session opens no more links. */
  readonly signal: AbortSignal;
  readonly owner: LinkOwner;
}

/** Opens links. */
export class LinkOpener {
  readonly #context: LinkOpenerContext;
  readonly #session: LinkOpenerSession;
  readonly #failures = new Map<CarrierKind, GiraffeError>();

  constructor(context: LinkOpenerContext, session: LinkOpenerSession) {
    this.#context = context;
    this.#session = session;
  }

  /** Why there is no link of this kind; undefined when there is one or none was tried. */
  failure(kind: CarrierKind): GiraffeError | undefined {
    return this.#failures.get(kind);
  }

  /** Notes that a link of this kind is there, or (`error`) was lost. */
  note(kind: CarrierKind, error: GiraffeError | undefined): void {
    if (error === undefined) this.#failures.delete(kind);
    else this.#failures.set(kind, error);
  }

  /**
   * Opens one link and returns when the edge has agreed; its owner has got it by then.
   * @param requestTicket Gets what joins the link to the session; undefined opens the session with the token.
   * @param timeoutMs Time for all of it, in milliseconds.
   * @throws {GiraffeError} Why it could not be had.
   */
  async open(
    kind: CarrierKind,
    port: number,
    requestTicket: (() => Promise<string>) | undefined,
    timeoutMs: number,
  ): Promise<void> {
    const { dialer, identity, options } = this.#context;
    const { generation, creditPool, signal, owner } = this.#session;
    const attempt = limitedSignal(signal, timeoutMs, () => noAnswer(dialer.address(port), timeoutMs));
    try {
      const ticket = requestTicket && (await withSignal(requestTicket(), attempt.signal));
      const { carrier, explain } = await dialer.dial(kind, port, attempt.signal);
      const link = new Link({
        carrier,
        hello: identity.hello(generation, ticket),
        creditPool,
        maxInboundStreams: options.maxInboundStreams ?? defaultMaxInboundStreams,
        owner,
      });
      await link.opened(attempt.signal).catch((error: unknown) => {
        throw explain(GiraffeError.from(error));
      });
    } catch (error) {
      this.#failed(kind, GiraffeError.from(error));
      throw error;
    } finally {
      attempt.end();
    }
  }

  /** Says why a link could not be had, but not the same thing again with every attempt. */
  #failed(kind: CarrierKind, error: GiraffeError): void {
    const before = this.#failures.get(kind);
    this.#failures.set(kind, error);
    if (this.#session.signal.aborted || (before?.code === error.code && before.message === error.message)) return;
    this.#context.emit({ type: 'carrier', carrier: kind, error });
  }
}
