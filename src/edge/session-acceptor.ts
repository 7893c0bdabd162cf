/**
 * Decides who may open a session: reads HELLO on a new carrier, checks token,
 * version, endpoints and ticket, and answers with WELCOME or a refusal. A probe gets the same answer and no session.
 */
import { randomBytes } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { publicUrl } from '../http/public-url.ts';
import { frameType } from '../protocol/frame.ts';
import { capabilities, decodeHello, decodeStatus, encodeHandshake, type Hello } from '../protocol/handshake.ts';
import { CreditPool } from '../protocol/receive-window.ts';
import type { AgentStatus, TunnelPolicy } from '../protocol/tunnel-policy.ts';
import { softwareName } from '../telemetry/software.ts';
import type { Carrier } from '../tunnel/carrier.ts';
import { Multiplexer } from '../tunnel/multiplexer.ts';
import type { Authenticator } from './authenticator.ts';
import { type Disconnections, disconnectedError, type PendingHello } from './disconnections.ts';
import type { EdgeEvents } from './edge-events.ts';
import type { EdgeOptions, EdgePorts, Principal } from './edge-options.ts';
import { EdgeSession } from './edge-session.ts';
import { EndpointNames } from './endpoint-names.ts';
import { Farewell, givenUp, isLoss, mayComeBack } from './farewell.ts';
import type { EdgeFigures } from './figures.ts';
import type { PolicyGate } from './policy/policy-gate.ts';
import type { RouteTable } from './route-table.ts';
import { TicketBook } from './ticket-book.ts';
import type { TunnelPeer } from './tunnel-peer.ts';

/** What one carrier may make us hold for clients, in octets; a session has at most two, so 64 MiB together. */
const maxUnreadBytesPerCarrier = 32 * 1024 * 1024;

/** What the acceptor needs from the edge. */
export interface AcceptorContext {
  readonly options: EdgeOptions;
  readonly authenticator: Authenticator;
  readonly routes: RouteTable;
  readonly disconnections: Disconnections;
  readonly policies: PolicyGate;
  readonly figures: EdgeFigures;
  readonly events: EdgeEvents;
  readonly ports: () => EdgePorts;
  isDraining(): boolean;
  /** A session serves these endpoints from now on, and not for a trial. */
  onServed(endpoints: readonly string[]): void;
}

/** Turns carriers into sessions. */
export class SessionAcceptor {
  readonly #context: AcceptorContext;
  readonly #tickets = new TicketBook();
  readonly #names: EndpointNames;

  constructor(context: AcceptorContext) {
    this.#context = context;
    this.#names = new EndpointNames(context.options.baseDomain, (host) => context.routes.find(host) === undefined);
  }

  /** Takes a new carrier through its handshake. */
  accept(carrier: Carrier, peer: TunnelPeer): void {
    const { limits } = this.#context.options;
    let session: EdgeSession | undefined;
    let hasHello = false;
    const farewell = new Farewell();
    const deadline = setTimeout(
      () => multiplexer.close(new GiraffeError('GIR_ERR_HANDSHAKE_TIMEOUT')),
      limits.handshakeTimeoutMs,
    );
    const multiplexer: Multiplexer = new Multiplexer(
      carrier,
      { role: 'edge', creditPool: new CreditPool(maxUnreadBytesPerCarrier) },
      {
        onHandshake: (type, payload) => {
          if (type !== frameType.hello || hasHello) throw new GiraffeError('GIR_ERR_PROTOCOL', 'unexpected handshake');
          hasHello = true;
          this.#admit(multiplexer, peer, decodeHello(payload)).then(
            (admitted) => {
              // A probe stays a stranger, and has no longer than one.
              if (admitted === undefined) return;
              session = admitted;
              clearTimeout(deadline);
            },
            (error: unknown) => this.#refuse(multiplexer, GiraffeError.from(error)),
          );
        },
        onOpen: () => {
          throw new GiraffeError('GIR_ERR_PROTOCOL', 'an agent cannot open streams');
        },
        onTicket: () => this.#handOutTicket(multiplexer, session),
        onStatus: (payload) => this.#noteStatus(decodeStatus(payload), session),
        onGoAway: (reason) => {
          // Its reason is its own: to repeat it would let a stranger put words into our mouth.
          if (session === undefined) return multiplexer.close(new GiraffeError('GIR_ERR_CANCELLED'));
          if (reason.code !== 'GIR_ERR_DRAINING') return multiplexer.close(givenUp(reason));
          farewell.said();
          session.drain();
          multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING'), true);
        },
        onClose: (error) => {
          clearTimeout(deadline);
          if (session !== undefined) this.#closed(session, multiplexer, farewell.isOver(error) ? undefined : error);
        },
      },
    );
  }

  /** A carrier is gone. @param reason Why; undefined when its agent took leave. */
  #closed(session: EdgeSession, multiplexer: Multiplexer, reason: GiraffeError | undefined): void {
    const { carrier } = multiplexer;
    const { facts, mode: former } = session;
    const why = reason && { reason: reason.code, detail: detailOf(reason) };
    this.#context.options.logger.info(
      { sessionId: facts.sessionId, carrier: carrier.kind, peer: carrier.peer, ...why },
      'carrier closed',
    );
    session.leave(multiplexer);
    const { mode } = session;
    if (mode === former) return;
    if (mode === undefined) this.#ended(session, reason);
    else if (this.#context.routes.session(facts.sessionId) === session) this.#tell(session, false);
  }

  #ended(session: EdgeSession, reason: GiraffeError | undefined): void {
    const { routes, events, figures, options, disconnections } = this.#context;
    const { facts, identity } = session;
    const code = reason?.code;
    routes.remove(session);
    for (const host of identity.passing) if (routes.find(host) === undefined) figures.forget(host);
    if (mayComeBack(reason)) disconnections.lost(identity.run, facts.domains);
    figures.sessionClosed(code);
    events.emit({ type: 'session-closed', ...facts, code });
    if (reason === undefined) options.logger.info(facts, 'agent left');
    else if (isLoss(reason)) options.logger.warn({ ...facts, reason: code, detail: detailOf(reason) }, 'session lost');
    else options.logger.info({ ...facts, reason: code }, 'session closed');
  }

  async #admit(multiplexer: Multiplexer, peer: TunnelPeer, hello: Hello): Promise<EdgeSession | undefined> {
    const { disconnections } = this.#context;
    const pending = disconnections.begin();
    try {
      return await this.#check(multiplexer, peer, hello, pending);
    } finally {
      disconnections.settled(pending);
    }
  }

  async #check(
    multiplexer: Multiplexer,
    peer: TunnelPeer,
    hello: Hello,
    pending: PendingHello,
  ): Promise<EdgeSession | undefined> {
    if (this.#context.isDraining()) throw new GiraffeError('GIR_ERR_DRAINING');
    const principal = await this.#context.authenticator.authenticateAgent({ token: hello.token, ...peer });
    // The check may take its time, and its answer come to a carrier that is gone: nothing would ever remove its session.
    if (!multiplexer.isWaiting) throw new GiraffeError('GIR_ERR_SESSION_LOST', 'closed before it was admitted');
    if (hello.probe !== undefined) {
      const endpoints = hello.probe.map((endpoint) => this.#names.grant(endpoint, principal));
      this.#welcome(multiplexer, 'probe', endpoints);
      return undefined;
    }
    const session =
      hello.ticket === undefined
        ? this.#newSession(hello, principal, pending)
        : this.#tickets.redeem(hello.ticket, hello, principal);
    if (hello.ticket === undefined) this.#govern(session, hello.policies ?? []);
    this.#join(session, multiplexer, hello.ticket === undefined);
    return session;
  }

  /** The newest session of an endpoint says what protects it, from before it serves. */
  #govern({ identity, endpoints }: EdgeSession, policies: readonly (TunnelPolicy | null)[]): void {
    for (const [index, host] of identity.endpoints.entries())
      if (endpoints.includes(host)) this.#context.policies.wish(host, policies[index] ?? undefined);
  }

  #noteStatus(status: AgentStatus, session: EdgeSession | undefined): void {
    if (session === undefined) throw new GiraffeError('GIR_ERR_PROTOCOL', 'STATUS before WELCOME');
    session.noteStatus(status);
    const { id, agentId } = session.identity;
    this.#context.options.logger.info({ sessionId: id, agentId, down: status.down }, 'status of origins');
  }

  /** @throws {GiraffeError} GIR_ERR_ENDPOINT_REFUSED, GIR_ERR_DISCONNECTED, GIR_ERR_PROTOCOL. */
  #newSession(hello: Hello, principal: Principal, pending: PendingHello): EdgeSession {
    const endpoints = hello.endpoints.map((endpoint) => this.#names.grant(endpoint, principal));
    if (endpoints.length === 0) throw new GiraffeError('GIR_ERR_PROTOCOL', 'HELLO names no endpoint');
    const { agentId, generation } = hello;
    const id = randomBytes(9).toString('base64url');
    const { options } = this.#context;
    const identity = {
      id,
      principal,
      agentId,
      generation,
      run: `${principal.id} ${hello.run ?? agentId}`,
      endpoints,
      passing: hello.trial === true ? endpoints.filter((_, index) => hello.endpoints[index] === null) : [],
      canWithdraw: hello.capabilities.includes('withdraw'),
      openedAt: new Date(),
      labels: hello.labels ?? [],
      weight: hello.weight ?? 1,
    };
    const session = new EdgeSession(identity, () => options.limits.maxStreams);
    for (const host of this.#context.disconnections.refused(identity.run, endpoints, pending)) {
      const reason = disconnectedError(host);
      if (!session.canSpare(host)) throw reason;
      session.withdraw({ endpoint: host, reason });
      options.logger.warn({ ...session.facts, domain: host }, 'endpoint stays disconnected by the operator');
    }
    return session;
  }

  #join(session: EdgeSession, multiplexer: Multiplexer, isNew: boolean): void {
    const { options, routes, figures, disconnections } = this.#context;
    // What was asked for: behind it the agent hears what was taken.
    this.#welcome(multiplexer, session.identity.id, session.identity.endpoints);
    multiplexer.activate(options.limits.keepAliveMs);
    const former = session.join(multiplexer);
    if (isNew) {
      disconnections.opened(session.identity.run);
      routes.add(session);
      this.#context.onServed(session.lastingEndpoints);
      figures.sessionOpened(session.identity);
    } else {
      routes.wake(session);
    }
    this.#tell(session, isNew);
    former?.close(new GiraffeError('GIR_ERR_SESSION_REPLACED'));
    options.logger.info(
      {
        sessionId: session.identity.id,
        agentId: session.identity.agentId,
        endpoints: session.endpoints,
        carrier: multiplexer.carrier.kind,
        peer: multiplexer.carrier.peer,
      },
      isNew ? 'session opened' : 'carrier joined',
    );
  }

  #welcome(multiplexer: Multiplexer, sessionId: string, endpoints: readonly string[]): void {
    const { options } = this.#context;
    const ports = this.#context.ports();
    const urls = publicUrls(options, ports);
    const welcome = {
      software: softwareName,
      capabilities: [...capabilities],
      sessionId,
      endpoints: endpoints.map((host) => ({ host, url: publicUrl(host, urls) })),
      ports: { grpc: ports.grpc, tunnel: ports.tunnel },
      keepAliveMs: options.limits.keepAliveMs,
      maxStreams: options.limits.maxStreams,
    };
    multiplexer.handshake(frameType.welcome, encodeHandshake(welcome));
  }

  #tell(session: EdgeSession, isNew: boolean): void {
    const { mode, facts } = session;
    if (mode === undefined) return;
    this.#context.events.emit({ type: isNew ? 'session-opened' : 'session-mode', ...facts, mode });
  }

  #handOutTicket(multiplexer: Multiplexer, session: EdgeSession | undefined): void {
    if (session === undefined) throw new GiraffeError('GIR_ERR_PROTOCOL', 'TICKET before WELCOME');
    multiplexer.ticket(Buffer.from(this.#tickets.issue(session)));
  }

  #refuse(multiplexer: Multiplexer, error: GiraffeError): void {
    this.#context.figures.agentRefused(error.code);
    this.#context.options.logger.warn(
      { peer: multiplexer.carrier.peer, carrier: multiplexer.carrier.kind, code: error.code, detail: error.message },
      'agent refused',
    );
    multiplexer.close(error);
  }
}

/** What is known beyond the code; its own sentence is for the client of an exchange. */
function detailOf({ message, entry }: GiraffeError): string | undefined {
  return message === entry.summary ? undefined : message;
}

/** How clients write the URLs of endpoints. */
function publicUrls({ publicUrls, proxyCertificate }: EdgeOptions, { proxy }: EdgePorts) {
  const scheme = publicUrls?.scheme ?? (proxyCertificate === undefined ? 'http' : 'https');
  return { scheme, port: publicUrls?.port ?? proxy } as const;
}
