/**
 * One session with an edge: the carriers it has, the ones it still wants, and when it is over.
 *
 * It opens the first carrier with the token and the other one with a ticket, and replaces whichever is lost while the
 * other one serves. When to open another session is for the connector.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { targetText } from '../http/target.ts';
import type { Welcome, Withdrawal } from '../protocol/handshake.ts';
import { CreditPool } from '../protocol/receive-window.ts';
import type { AgentStatus } from '../protocol/tunnel-policy.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import type { Stream, StreamSink } from '../tunnel/stream.ts';
import type { AgentMode, AgentTunnel, ServedTunnel } from './agent-options.ts';
import { backoffMs, defaultBackoff, delay } from './backoff.ts';
import { createDeferred } from './deferred.ts';
import { allFailed, isFinalRefusal } from './edge-failure.ts';
import type { ExchangeAcceptor } from './exchange-acceptor.ts';
import type { Link, LinkOwner } from './link.ts';
import { LinkOpener, type LinkOpenerContext } from './link-opener.ts';

/** Time for one attempt unless the options say otherwise, in milliseconds. */
const defaultConnectTimeoutMs = 10_000;
/** A session that serves over gRPC waits this long for its second carrier before it calls itself ready, in milliseconds. */
const secondCarrierGraceMs = 3000;
/** Port of the TCP tunnel when neither the options nor the edge say another one. */
const defaultTunnelPort = 4443;

/** What all sessions of an agent share. */
export interface SessionContext extends LinkOpenerContext {
  readonly acceptor: ExchangeAcceptor;
}

/** One session. */
export class AgentSession implements LinkOwner {
  readonly #context: SessionContext;
  readonly #creditPool = new CreditPool();
  readonly #links = new Map<CarrierKind, Link>();
  readonly #opener: LinkOpener;
  readonly #wanted = new Set<CarrierKind>();
  readonly #abort = new AbortController();
  readonly #retired = createDeferred<GiraffeError>();
  readonly #ended = createDeferred<void>();
  readonly #disconnected = createDeferred<GiraffeError>();
  #phase: 'opening' | 'serving' | 'leaving' | 'ended' = 'opening';
  #isAnnounced = false;
  #welcome: Welcome | undefined;
  /** By endpoint, those that were withdrawn included: streams that were opened before may still arrive. */
  #tunnels: ReadonlyMap<string, AgentTunnel> = new Map();
  /** The endpoints that are left. */
  #endpoints: Welcome['endpoints'] = [];
  readonly #endHealth: () => void;
  #lastStatus: AgentStatus = { sequence: 0, down: [] };

  constructor(context: SessionContext) {
    this.#context = context;
    this.#opener = new LinkOpener(context, {
      generation: context.identity.nextGeneration(),
      creditPool: this.#creditPool,
      signal: this.#abort.signal,
      owner: this,
    });
    this.#endHealth = context.acceptor.health.listen(() => this.#tellStatus());
  }

  /** Resolves with the reason when the session takes no new exchanges: it is over, or its edge is draining. */
  get retired(): Promise<GiraffeError> {
    return this.#retired.promise;
  }

  /** Resolves when all carriers are gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when the operator disconnects the agent, be it while its edge is draining and another session is looked for. */
  get disconnected(): Promise<GiraffeError> {
    return this.#disconnected.promise;
  }

  /** Whether the edge has agreed, on every carrier, to open no more streams, and none is open. */
  get isDrained(): boolean {
    return [...this.#links.values()].every((link) => link.isDrained);
  }

  /**
   * Opens the session and announces that it serves.
   * @throws {GiraffeError} Why it could not be had; a final refusal if there was one.
   */
  async open(): Promise<void> {
    const { transport } = this.#context.options;
    const first = await this.#openFirst(
      transport === 'auto' ? ['grpc', 'tls'] : [transport === 'tcp' ? 'tls' : 'grpc'],
    );
    if (this.#phase === 'opening') this.#phase = 'serving';
    if (transport === 'auto' && first === 'grpc') {
      const tried = createDeferred<void>();
      void this.#keep('tls', false, tried.resolve);
      await Promise.race([tried.promise, delay(secondCarrierGraceMs, this.#abort.signal)]);
    } else if (transport === 'auto') {
      void this.#keep('grpc', true);
    }
    if (this.#links.size === 0) throw await this.retired;
    this.#announce();
  }

  /** Tells the edge on every carrier that we go away; nothing more is dialed. */
  goAway(): void {
    if (this.#phase === 'ended') return;
    const reason = new GiraffeError('GIR_ERR_DRAINING');
    this.#retire(reason);
    for (const link of this.#links.values()) link.goAway(reason);
  }

  /** Ends the session; exchanges in flight are lost. */
  close(reason: GiraffeError): void {
    this.#end(reason);
    for (const link of [...this.#links.values()]) link.close(reason);
  }

  // The links' side.

  onWelcome(link: Link, welcome: Welcome): void {
    if (this.#phase === 'ended' || this.#links.has(link.kind)) throw new GiraffeError('GIR_ERR_SESSION_REPLACED');
    if (this.#welcome === undefined) {
      this.#tunnels = this.#context.identity.welcomed(welcome);
      this.#context.acceptor.serve(this.#tunnels);
      this.#welcome = welcome;
      this.#endpoints = welcome.endpoints;
    } else if (welcome.sessionId !== this.#welcome.sessionId) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', 'the ticket joined another session');
    }
    this.#links.set(link.kind, link);
    this.#opener.note(link.kind, undefined);
    this.#context.emit({ type: 'carrier', carrier: link.kind, error: undefined });
    this.#tellMode();
    this.#tellStatusBehindWelcome();
  }

  onOpen(link: Link, stream: Stream, payload: Buffer, isEnd: boolean): StreamSink {
    return this.#context.acceptor.accept(stream, payload, isEnd, {
      carrier: link.kind,
      creditPool: this.#creditPool,
      tunnelOf: (endpoint) => this.#tunnels.get(endpoint),
    });
  }

  /** Comes once on each link, and the first time counts. */
  onWithdraw(_link: Link, { endpoint, reason }: Withdrawal): void {
    const withdrawn = this.#served().find(({ domain }) => domain === endpoint);
    if (withdrawn === undefined || this.#phase === 'ended') return;
    if (this.#endpoints.length === 1) return this.#refused(new GiraffeError('GIR_ERR_DISCONNECTED', reason.message));
    this.#endpoints = this.#endpoints.filter(({ host }) => host !== endpoint);
    const { identity, acceptor, emit } = this.#context;
    if (!identity.withdraw(endpoint)) return;
    acceptor.withdraw(endpoint);
    emit({ type: 'withdrawn', ...withdrawn, error: reason });
  }

  onGoAway(_link: Link, reason: GiraffeError): void {
    if (isFinalRefusal(reason)) return this.#refused(reason);
    if (reason.code !== 'GIR_ERR_DRAINING' || this.#phase === 'ended') return;
    this.#retire(new GiraffeError('GIR_ERR_DRAINING', 'the edge is shutting down'));
  }

  onClose(link: Link, reason: GiraffeError): void {
    if (this.#links.get(link.kind) !== link) return;
    this.#links.delete(link.kind);
    this.#opener.note(link.kind, reason);
    if (this.#links.size === 0) {
      this.#end(reason);
      this.#ended.resolve();
    } else if (this.#phase === 'serving') {
      this.#context.emit({ type: 'carrier', carrier: link.kind, error: reason });
      this.#tellMode();
      this.#tellStatus();
      void this.#keep(link.kind, true);
    }
  }

  // Carriers.

  /** Opens one of the kinds, the first one that can be had, and returns which. */
  async #openFirst(kinds: readonly CarrierKind[]): Promise<CarrierKind> {
    const failures: GiraffeError[] = [];
    for (const kind of kinds) {
      try {
        // The time for the attempt is shared, so that a filtered port leaves some for the other one.
        await this.#opener.open(kind, this.#port(kind), undefined, this.#connectTimeoutMs / kinds.length);
        return kind;
      } catch (error) {
        const failure = GiraffeError.from(error);
        if (isFinalRefusal(failure) || this.#abort.signal.aborted) throw failure;
        failures.push(failure);
      }
    }
    throw allFailed(failures);
  }

  /**
   * Dials a carrier until the session has it.
   * @param isLost Whether it was there or has failed before, so that the first attempt waits a little.
   * @param onTried Called after the first attempt.
   */
  async #keep(kind: CarrierKind, isLost: boolean, onTried: () => void = () => {}): Promise<void> {
    if (this.#wanted.has(kind) || this.#context.options.transport !== 'auto') return;
    this.#wanted.add(kind);
    const sinceMs = performance.now();
    for (let waits = isLost; this.#phase === 'serving' && !this.#links.has(kind); waits = true) {
      if (waits) {
        const bounds = this.#context.options.backoff ?? defaultBackoff;
        await delay(backoffMs(performance.now() - sinceMs, bounds, Math.random()), this.#abort.signal);
      }
      await this.#join(kind);
      onTried();
    }
    this.#wanted.delete(kind);
  }

  async #join(kind: CarrierKind): Promise<void> {
    const [living] = this.#links.values();
    if (this.#phase !== 'serving' || living === undefined) return;
    try {
      await this.#opener.open(kind, this.#port(kind), () => living.requestTicket(), this.#connectTimeoutMs);
    } catch {
      // Noted where it happened; the next attempt follows.
    }
  }

  #port(kind: CarrierKind): number {
    const { grpcPort, tunnelPort } = this.#context.options.server;
    if (kind === 'grpc') return grpcPort;
    // A port that somebody asked for may be one that the edge does not know of, such as a proxy's before it.
    if (tunnelPort !== undefined) return tunnelPort;
    const known = this.#welcome?.ports.tunnel ?? 0;
    return known === 0 ? defaultTunnelPort : known;
  }

  get #connectTimeoutMs(): number {
    return this.#context.options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  }

  // What the edge hears of our origins.

  /** A link is open only when its welcome has been taken. */
  #tellStatusBehindWelcome(): void {
    queueMicrotask(() => this.#tellStatus());
  }

  /** Tells which origins are down, unless none is and none was. A word on a link that breaks is said again on the other. */
  #tellStatus(): void {
    const [link] = this.#links.values();
    const { capabilities = [] } = this.#welcome ?? {};
    if (link === undefined || this.#phase === 'ended' || !capabilities.includes('status')) return;
    const { health } = this.#context.acceptor;
    const hosts = this.#endpoints.map(({ host }) => host);
    const down = hosts.filter((host) => {
      const tunnel = this.#tunnels.get(host);
      return tunnel !== undefined && health.isDown(tunnel);
    });
    if (down.length === 0 && this.#lastStatus.down.length === 0) return;
    this.#lastStatus = { sequence: this.#lastStatus.sequence + 1, down };
    link.status(this.#lastStatus);
  }

  // What people see.

  #announce(): void {
    this.#isAnnounced = true;
    this.#context.emit({ type: 'ready', ...this.#mode(), tunnels: this.#served() });
  }

  #served(): ServedTunnel[] {
    return this.#endpoints.flatMap(({ host, url }) => {
      const tunnel = this.#tunnels.get(host);
      return tunnel === undefined ? [] : { name: tunnel.name, domain: host, url, target: targetText(tunnel.target) };
    });
  }

  #tellMode(): void {
    if (this.#isAnnounced && this.#phase === 'serving') this.#context.emit({ type: 'mode', ...this.#mode() });
  }

  #mode(): { mode: AgentMode; reason: string | undefined } {
    const { transport } = this.#context.options;
    if (this.#links.size > 1) return { mode: 'hybrid', reason: undefined };
    const mode = this.#links.has('grpc') ? 'grpc' : 'tcp';
    if (transport !== 'auto') return { mode, reason: `transport ${transport} was asked for` };
    const failure = this.#opener.failure(mode === 'grpc' ? 'tls' : 'grpc');
    return { mode, reason: failure?.message ?? 'the other connection is still being opened' };
  }

  #refused(reason: GiraffeError): void {
    if (reason.code === 'GIR_ERR_DISCONNECTED') this.#disconnected.resolve(reason);
    this.close(reason);
  }

  /** Stops dialing, and lets the connector go on. */
  #retire(reason: GiraffeError): void {
    this.#phase = 'leaving';
    this.#abort.abort(reason);
    this.#retired.resolve(reason);
  }

  #end(reason: GiraffeError): void {
    if (this.#phase === 'ended') return;
    this.#retire(reason);
    this.#phase = 'ended';
    this.#endHealth();
    if (this.#links.size === 0) this.#ended.resolve();
  }
}
