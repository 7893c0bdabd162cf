/**
 * One carrier to the edge, from its HELLO to its end. What serves over it is the session's business.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { frameType } from '../protocol/frame.ts';
import {
  decodeWelcome,
  decodeWithdrawal,
  encodeHandshake,
  encodeStatus,
  type Hello,
  type Welcome,
  type Withdrawal,
} from '../protocol/handshake.ts';
import type { CreditPool } from '../protocol/receive-window.ts';
import type { AgentStatus } from '../protocol/tunnel-policy.ts';
import type { Carrier, CarrierKind } from '../tunnel/carrier.ts';
import { Multiplexer } from '../tunnel/multiplexer.ts';
import type { Stream, StreamSink } from '../tunnel/stream.ts';
import { createDeferred, type Deferred } from './deferred.ts';

/** Is told what happens on a link. */
export interface LinkOwner {
  /** The edge agreed. Called before any stream; throwing a GiraffeError refuses the link. */
  onWelcome(link: Link, welcome: Welcome): void;
  onOpen(link: Link, stream: Stream, payload: Buffer, isEnd: boolean): StreamSink;
  /** The edge takes an endpoint from the session. */
  onWithdraw(link: Link, withdrawal: Withdrawal): void;
  /** The edge goes away or cuts the session; the link may still carry what is in flight. */
  onGoAway(link: Link, reason: GiraffeError): void;
  /** The link is gone after it was welcomed. Every stream has been told. */
  onClose(link: Link, reason: GiraffeError): void;
}

/** What a link starts with. */
export interface LinkStart {
  readonly carrier: Carrier;
  readonly hello: Hello;
  readonly creditPool: CreditPool;
  readonly maxInboundStreams: number;
  readonly owner: LinkOwner;
}

/** A carrier with its handshake. */
export class Link {
  readonly kind: CarrierKind;
  readonly #owner: LinkOwner;
  readonly #multiplexer: Multiplexer;
  readonly #opened = createDeferred<void>();
  readonly #tickets: Deferred<string>[] = [];
  #isWelcome = false;
  #isGoAwayAcknowledged = false;
  #goAway: GiraffeError | undefined;

  /** Sends HELLO. */
  constructor({ carrier, hello, creditPool, maxInboundStreams, owner }: LinkStart) {
    this.kind = carrier.kind;
    this.#owner = owner;
    this.#multiplexer = new Multiplexer(
      carrier,
      { role: 'agent', creditPool, maxInboundStreams },
      {
        onHandshake: (type, payload) => this.#welcomed(type, payload),
        onOpen: (stream, payload, isEnd) => owner.onOpen(this, stream, payload, isEnd),
        onTicket: (payload) => this.#tickets.shift()?.resolve(payload.toString('latin1')),
        onWithdraw: (payload) => owner.onWithdraw(this, decodeWithdrawal(payload)),
        onGoAway: (reason, isAck) => this.#receivedGoAway(reason, isAck),
        onClose: (reason) => this.#closed(reason),
      },
    );
    this.#multiplexer.handshake(frameType.hello, encodeHandshake(hello));
  }

  /**
   * Resolves when the edge has agreed.
   * @throws {GiraffeError} The edge's refusal, what ended the carrier, or the reason of `signal`.
   */
  async opened(signal: AbortSignal): Promise<void> {
    const abort = (): void => this.destroy(GiraffeError.from(signal.reason));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    try {
      await this.#opened.promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#multiplexer.streams;
  }

  /** Whether the edge will open no more streams, none is open, and what was said on them has left. */
  get isDrained(): boolean {
    return this.#isGoAwayAcknowledged && this.streams === 0 && this.#multiplexer.carrier.queuedBytes === 0;
  }

  /**
   * Asks for a ticket for another carrier.
   * @throws {GiraffeError} What ended the link before the answer.
   */
  requestTicket(): Promise<string> {
    const ticket = createDeferred<string>();
    this.#tickets.push(ticket);
    this.#multiplexer.ticket(Buffer.alloc(0));
    return ticket.promise;
  }

  /** Tells the edge how our origins are. */
  status(status: AgentStatus): void {
    this.#multiplexer.status(encodeStatus(status));
  }

  /** Tells the edge that we go away. */
  goAway(reason: GiraffeError): void {
    this.#multiplexer.goAway(reason);
  }

  /** Closes in order; streams that are open are lost. */
  close(reason: GiraffeError): void {
    this.#multiplexer.close(reason);
  }

  /** Closes at once. */
  destroy(reason: GiraffeError): void {
    this.#multiplexer.destroy(reason);
  }

  #welcomed(type: number, payload: Buffer): void {
    if (type !== frameType.welcome || this.#isWelcome) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', 'a handshake frame out of place');
    }
    const welcome = decodeWelcome(payload);
    this.#owner.onWelcome(this, welcome);
    this.#isWelcome = true;
    this.#multiplexer.activate(welcome.keepAliveMs);
    this.#opened.resolve();
  }

  #receivedGoAway(reason: GiraffeError, isAck: boolean): void {
    if (isAck) {
      this.#isGoAwayAcknowledged = true;
      return;
    }
    this.#goAway = reason;
    if (this.#isWelcome) this.#owner.onGoAway(this, reason);
    else this.destroy(reason);
  }

  #closed(cause: GiraffeError): void {
    const reason = this.#goAway ?? cause;
    for (const ticket of this.#tickets.splice(0)) ticket.reject(reason);
    this.#opened.reject(reason);
    if (this.#isWelcome) this.#owner.onClose(this, reason);
  }
}
