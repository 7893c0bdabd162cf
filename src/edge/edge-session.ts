/**
 * One agent at this edge: up to two carriers, the endpoints it serves, and its place for streams.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { Candidate, Transport } from '../extension/routing-strategy.ts';
import { type StreamId, streamId } from '../protocol/frame.ts';
import { encodeWithdrawal, type Withdrawal } from '../protocol/handshake.ts';
import type { AgentStatus } from '../protocol/tunnel-policy.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import type { Multiplexer } from '../tunnel/multiplexer.ts';
import type { SessionFacts, SessionMode } from './edge-events.ts';
import type { Principal } from './edge-options.ts';

/** What is known of an agent once its HELLO was accepted. */
export interface SessionIdentity {
  readonly id: string;
  readonly principal: Principal;
  readonly agentId: string;
  readonly generation: number;
  /** What all sessions of the agent have in common, and those of agents that took over from it. */
  readonly run: string;
  /** Those it was opened with; {@link EdgeSession.endpoints} are those it has. */
  readonly endpoints: readonly string[];
  /** Those of them that are forgotten when nobody serves them any more. */
  readonly passing: readonly string[];
  /** Whether it can give up one endpoint of several. */
  readonly canWithdraw: boolean;
  readonly openedAt: Date;
  /** Its labels, and its relative share of the traffic, for routing strategies. */
  readonly labels: readonly string[];
  readonly weight: number;
}

/** A session as the edge sees it. */
export class EdgeSession {
  readonly identity: SessionIdentity;
  readonly #maxExchanges: () => number;
  readonly #carriers = new Map<CarrierKind, Multiplexer>();
  readonly #waiting: (() => void)[] = [];
  readonly #withdrawals: Withdrawal[] = [];
  #endpoints: readonly string[];
  #candidates: readonly SessionCandidate[] = [];
  /** The same ways to endpoints whose origin does not answer. */
  #downCandidates: readonly SessionCandidate[] = [];
  #status: { readonly sequence: number; readonly down: ReadonlySet<string> } = { sequence: -1, down: new Set() };
  #isClosed = false;
  #exchanges = 0;
  #lastStream = 0;
  #isDraining = false;

  /** @param maxExchanges Returns how many exchanges may be in flight at once, a count; relays do not count. */
  constructor(identity: SessionIdentity, maxExchanges: () => number) {
    this.identity = identity;
    this.#maxExchanges = maxExchanges;
    this.#endpoints = identity.endpoints;
  }

  /** Endpoints that it serves. */
  get endpoints(): readonly string[] {
    return this.#endpoints;
  }

  /** Those of them that may be served again, by this agent or another one. */
  get lastingEndpoints(): readonly string[] {
    return this.#endpoints.filter((host) => !this.identity.passing.includes(host));
  }

  /** Ways to an endpoint that are up now; none while the agent drains. A carrier that is closing is no way any more. */
  candidatesFor(host: string): readonly Candidate[] {
    if (this.#isDraining) return [];
    const candidates = this.#status.down.has(host) ? this.#downCandidates : this.#candidates;
    return candidates.filter((candidate) => candidate.isOpen);
  }

  /** Notes what the agent says about its origins. Carriers may deliver its words in another order. */
  noteStatus({ sequence, down }: AgentStatus): void {
    if (sequence > this.#status.sequence) this.#status = { sequence, down: new Set(down) };
  }

  /** Which carriers are up; undefined when none is. */
  get mode(): SessionMode | undefined {
    if (this.#carriers.size > 1) return 'hybrid';
    if (this.#carriers.has('grpc')) return 'grpc';
    return this.#carriers.size === 0 ? undefined : 'tcp';
  }

  /** Addresses of the agent, one for each carrier. */
  get peers(): readonly string[] {
    return [...this.#carriers.values()].map(({ carrier }) => carrier.peer);
  }

  /** What is told of it. */
  get facts(): SessionFacts {
    const { id, agentId } = this.identity;
    return { sessionId: id, agentId, domains: this.#endpoints };
  }

  /** Endpoints whose origin does not answer, as the agent says; a count. */
  get originsDown(): number {
    return this.#endpoints.filter((host) => this.#status.down.has(host)).length;
  }

  /** Exchanges and relays in flight. */
  get inFlight(): number {
    let streams = 0;
    for (const multiplexer of this.#carriers.values()) streams += multiplexer.streams;
    return streams;
  }

  /** Whether another carrier may join. */
  get isAlive(): boolean {
    return !this.#isClosed && this.#carriers.size > 0;
  }

  /** Returns the carrier for a transport, if it is up. */
  multiplexer(transport: Transport): Multiplexer | undefined {
    return this.#carriers.get(transport === 'grpc' ? 'grpc' : 'tls');
  }

  /** Adds a carrier whose agent is let in; returns the one of the same kind that it takes the place of. */
  join(multiplexer: Multiplexer): Multiplexer | undefined {
    const { kind } = multiplexer.carrier;
    const former = this.#carriers.get(kind);
    this.#carriers.set(kind, multiplexer);
    for (const withdrawal of this.#withdrawals) multiplexer.withdraw(encodeWithdrawal(withdrawal));
    this.#refreshCandidates();
    return former;
  }

  /** Removes a carrier that is gone. */
  leave(multiplexer: Multiplexer): void {
    const { kind } = multiplexer.carrier;
    if (this.#carriers.get(kind) !== multiplexer) return;
    this.#carriers.delete(kind);
    this.#refreshCandidates();
    if (this.#carriers.size === 0) this.#wakeAll();
  }

  /** Takes a place for an exchange; false when all are taken. */
  takePlace(): boolean {
    if (this.#exchanges >= this.#maxExchanges()) return false;
    this.#exchanges += 1;
    return true;
  }

  /** Gives a place back to whoever waits longest, and to the next ones as long as it is left: some go elsewhere. */
  givePlace(): void {
    this.#exchanges -= 1;
    while (this.#exchanges < this.#maxExchanges()) {
      const onFree = this.#waiting.shift();
      if (onFree === undefined) return;
      onFree();
    }
  }

  /** Calls `onFree` once when a place may be free, or the session has ended; returns a function that gives up waiting. */
  waitForPlace(onFree: () => void): () => void {
    this.#waiting.push(onFree);
    return () => {
      const index = this.#waiting.indexOf(onFree);
      if (index !== -1) this.#waiting.splice(index, 1);
    };
  }

  /** Takes note of another bound: who waits for a place may find one now. */
  limitsChanged(): void {
    this.#wakeAll();
  }

  nextStreamId(): StreamId {
    this.#lastStream += 1;
    return streamId(this.#lastStream);
  }

  /** Whether it can lose this endpoint and serve on: its agent understands that, and has another one. */
  canSpare(host: string): boolean {
    return this.identity.canWithdraw && this.#endpoints.some((other) => other !== host);
  }

  /** Takes an endpoint from the agent; what is in flight on it goes on. Told on every carrier: one may break before. */
  withdraw(withdrawal: Withdrawal): void {
    this.#endpoints = this.#endpoints.filter((host) => host !== withdrawal.endpoint);
    this.#withdrawals.push(withdrawal);
    for (const multiplexer of this.#carriers.values()) multiplexer.withdraw(encodeWithdrawal(withdrawal));
    this.#wakeAll();
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
    this.#isClosed = true;
    for (const multiplexer of [...this.#carriers.values()]) multiplexer.close(reason);
  }

  destroy(reason: GiraffeError): void {
    for (const multiplexer of [...this.#carriers.values()]) multiplexer.destroy(reason);
  }

  #wakeAll(): void {
    for (const onFree of this.#waiting.splice(0)) onFree();
  }

  #refreshCandidates(): void {
    const carriers = [...this.#carriers.values()];
    this.#candidates = carriers.map((multiplexer) => new SessionCandidate(this, multiplexer, true));
    this.#downCandidates = carriers.map((multiplexer) => new SessionCandidate(this, multiplexer, false));
  }
}

/** A candidate whose figures are those of the moment in which they are read. */
class SessionCandidate implements Candidate {
  readonly transport: Transport;
  readonly #session: EdgeSession;
  readonly #multiplexer: Multiplexer;
  readonly #isOriginUp: boolean;

  constructor(session: EdgeSession, multiplexer: Multiplexer, isOriginUp: boolean) {
    this.#isOriginUp = isOriginUp;
    this.#session = session;
    this.#multiplexer = multiplexer;
    this.transport = multiplexer.carrier.kind === 'grpc' ? 'grpc' : 'tcp';
  }

  get sessionId(): string {
    return this.#session.identity.id;
  }

  get agentId(): string {
    return this.#session.identity.agentId;
  }

  get labels(): readonly string[] {
    return this.#session.identity.labels;
  }

  get weight(): number {
    return this.#session.identity.weight;
  }

  get inFlight(): number {
    return this.#session.inFlight;
  }

  get isHealthy(): boolean {
    return this.#isOriginUp && this.#multiplexer.isHealthy;
  }

  get isOpen(): boolean {
    return this.#multiplexer.isOpen;
  }
}
