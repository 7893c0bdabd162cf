/**
 * One agent at this edge: up to two carriers, the endpoints it serves, and its place for streams.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { Candidate, Transport } from '../extension/routing-strategy.ts';
import { type StreamId, streamId } from '../protocol/frame.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import type { Multiplexer } from '../tunnel/multiplexer.ts';
import type { Principal } from './edge-options.ts';

/** What is known of an agent once its HELLO was accepted. */
export interface SessionIdentity {
  readonly id: string;
  readonly principal: Principal;
  readonly agentId: string;
  readonly generation: number;
  readonly endpoints: readonly string[];
}

/** A session as the edge sees it. */
export class EdgeSession {
  readonly identity: SessionIdentity;
  readonly #maxExchanges: number;
  readonly #carriers = new Map<CarrierKind, Multiplexer>();
  readonly #waiting: (() => void)[] = [];
  #candidates: readonly SessionCandidate[] = [];
  #exchanges = 0;
  #lastStream = 0;
  #isDraining = false;

  /** @param maxExchanges Exchanges in flight at once, a count; relays do not count. */
  constructor(identity: SessionIdentity, maxExchanges: number) {
    this.identity = identity;
    this.#maxExchanges = maxExchanges;
  }

  /** Ways to this agent that are up now; none while it drains. A carrier that is closing is no way any more. */
  get candidates(): readonly Candidate[] {
    return this.#isDraining ? [] : this.#candidates.filter((candidate) => candidate.isOpen);
  }

  /** Exchanges and relays in flight. */
  get inFlight(): number {
    let streams = 0;
    for (const multiplexer of this.#carriers.values()) streams += multiplexer.streams;
    return streams;
  }

  get isAlive(): boolean {
    return this.#carriers.size > 0;
  }

  /** Returns the carrier for a transport, if it is up. */
  multiplexer(transport: Transport): Multiplexer | undefined {
    return this.#carriers.get(transport === 'grpc' ? 'grpc' : 'tls');
  }

  /** Adds a carrier; returns the one of the same kind that it takes the place of. */
  join(multiplexer: Multiplexer): Multiplexer | undefined {
    const { kind } = multiplexer.carrier;
    const former = this.#carriers.get(kind);
    this.#carriers.set(kind, multiplexer);
    this.#refreshCandidates();
    return former;
  }

  /** Removes a carrier that is gone. */
  leave(multiplexer: Multiplexer): void {
    const { kind } = multiplexer.carrier;
    if (this.#carriers.get(kind) !== multiplexer) return;
    this.#carriers.delete(kind);
    this.#refreshCandidates();
    if (!this.isAlive) this.#wakeAll();
  }

  /** Takes a place for an exchange; false when all are taken. */
  takePlace(): boolean {
    if (this.#exchanges >= this.#maxExchanges) return false;
    this.#exchanges += 1;
    return true;
  }

  /** Gives a place back to whoever waits longest. */
  givePlace(): void {
    this.#exchanges -= 1;
    this.#waiting.shift()?.();
  }

  /** Calls `onFree` once when a place may be free, or the session has ended; returns a function that gives up waiting. */
  waitForPlace(onFree: () => void): () => void {
    this.#waiting.push(onFree);
    return () => {
      const index = this.#waiting.indexOf(onFree);
      if (index !== -1) this.#waiting.splice(index, 1);
    };
  }

  nextStreamId(): StreamId {
    this.#lastStream += 1;
    return streamId(this.#lastStream);
  }

  /** Opens no more streams, and tells the agent so on the carrier that asked. */
  drain(): void {
    this.#isDraining = true;
    this.#wakeAll();
  }

  /** Tells the agent that this edge will go away. */
  announceLeaving(reason: GiraffeError): void {
    for (const multiplexer of this.#carriers.values()) multiplexer.goAway(reason);
  }

  close(reason: GiraffeError): void {
    for (const multiplexer of [...this.#carriers.values()]) multiplexer.close(reason);
  }

  destroy(reason: GiraffeError): void {
    for (const multiplexer of [...this.#carriers.values()]) multiplexer.destroy(reason);
  }

  #wakeAll(): void {
    for (const onFree of this.#waiting.splice(0)) onFree();
  }

  #refreshCandidates(): void {
    this.#candidates = [...this.#carriers.values()].map((multiplexer) => new SessionCandidate(this, multiplexer));
  }
}

/** A candidate whose figures are those of the moment in which they are read. */
class SessionCandidate implements Candidate {
  readonly transport: Transport;
  readonly #session: EdgeSession;
  readonly #multiplexer: Multiplexer;

  constructor(session: EdgeSession, multiplexer: Multiplexer) {
    this.#session = session;
    this.#multiplexer = multiplexer;
    this.transport = multiplexer.carrier.kind === 'grpc' ? 'grpc' : 'tcp';
  }

  get sessionId(): string {
    return this.#session.identity.id;
  }

  get inFlight(): number {
    return this.#session.inFlight;
  }

  get isHealthy(): boolean {
    return this.#multiplexer.isHealthy;
  }

  get isOpen(): boolean {
    return this.#multiplexer.isOpen;
  }
}
