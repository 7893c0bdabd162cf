/**
 * The edge as a whole: its three ports, its sessions, and the order in which they start and stop.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { ExtensionGuard } from '../extension/guard.ts';
import type { MetricsSnapshot } from '../extension/metrics-exporter.ts';
import { Authenticator } from './authenticator.ts';
import { ClientListeners } from './client-listeners.ts';
import { CredentialClock } from './credential-clock.ts';
import { Disconnections, disconnectedError } from './disconnections.ts';
import { Dispatcher } from './dispatcher.ts';
import { EdgeEvents, type EdgeListener } from './edge-events.ts';
import { edgeMetrics } from './edge-metrics.ts';
import { type EdgeNow, lookAtEdge } from './edge-now.ts';
import type {
  Edge,
  EdgeChanges,
  EdgeOptions,
  EdgeOverview,
  EdgePorts,
  NamedAuthProvider,
  SessionView,
  TunnelStats,
} from './edge-options.ts';
import type { EdgeSession } from './edge-session.ts';
import { EdgeFigures } from './figures.ts';
import { GrpcListener } from './grpc-listener.ts';
import { type EdgePolicy, noPolicy, PolicyGate } from './policy/policy-gate.ts';
import { createProxyTrust } from './proxy-trust.ts';
import { RouteTable } from './route-table.ts';
import { SessionAcceptor } from './session-acceptor.ts';
import { SessionWatch } from './session-watch.ts';
import { TunnelListener } from './tunnel-listener.ts';

/** Agents get this long to hear that the edge has closed, in milliseconds. */
const farewellMs = 200;

/**
 * Starts an edge; it accepts on all its ports when this resolves.
 * @throws {GiraffeError} GIR_ERR_LISTEN, GIR_ERR_CONFIG. Nothing is left listening then.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const edge = new RunningEdge(options);
  await edge.listen();
  return edge;
}

class RunningEdge implements Edge {
  /** A copy, which its parts share and which {@link reconfigure} changes. */
  readonly #options: { -readonly [Name in keyof EdgeOptions]: EdgeOptions[Name] };
  readonly #routes: RouteTable;
  readonly #figures: EdgeFigures;
  readonly #events = new EdgeEvents();
  readonly #disconnections = new Disconnections();
  readonly #policies: PolicyGate;
  readonly #dispatcher: Dispatcher;
  readonly #clients: ClientListeners;
  readonly #grpc: GrpcListener;
  readonly #tunnel: TunnelListener;
  readonly #watch: SessionWatch;
  readonly #authenticator: Authenticator;
  readonly #guard: ExtensionGuard;
  readonly #startedAt = new Date();
  #certificate: EdgeOptions['certificate'];
  #isTrusted: (address: string) => boolean;
  #ports: EdgePorts = { proxy: 0, grpc: 0, tunnel: 0 };
  #isDraining = false;
  #isClosed = false;

  constructor(given: EdgeOptions) {
    const options = { ...given };
    const isTrusted = (address: string): boolean => this.#isTrusted(address);
    this.#options = options;
    this.#isTrusted = createProxyTrust(options.trustedProxies);
    this.#routes = new RouteTable(options.knownEndpoints);
    this.#figures = new EdgeFigures(
      (host) => this.#routes.find(host) !== undefined,
      () => performance.now(),
    );
    this.#certificate = options.certificate;
    this.#guard = options.guard ?? new ExtensionGuard();
    const authenticator = new Authenticator(options.authProviders, {
      logger: options.logger,
      guard: this.#guard,
      timeoutMs: options.limits.authTimeoutMs,
      isShared: isTrusted,
      now: options.now ?? new CredentialClock().now,
    });
    this.#authenticator = authenticator;
    this.#policies = new PolicyGate(
      options.policy ?? noPolicy,
      {
        isTunnel: (host) => this.#routes.find(host) !== undefined,
        isServed: (host) => this.#routes.isServed(host),
      },
      () => performance.now(),
      (domain, state) => this.#events.emit({ type: 'breaker', domain, state }),
    );
    this.#dispatcher = new Dispatcher({
      options,
      routes: this.#routes,
      figures: this.#figures,
      events: this.#events,
      authenticator,
      policies: this.#policies,
      guard: this.#guard,
      isTrusted,
    });
    this.#clients = new ClientListeners({
      options,
      guard: this.#guard,
      dispatcher: this.#dispatcher,
      isTrusted,
      endpoints: () => [...this.#routes.sessions].flatMap((session) => session.lastingEndpoints),
    });
    const acceptor = new SessionAcceptor({
      options,
      authenticator,
      routes: this.#routes,
      disconnections: this.#disconnections,
      policies: this.#policies,
      figures: this.#figures,
      events: this.#events,
      ports: () => this.#ports,
      isDraining: () => this.#isDraining,
      onServed: (endpoints) => this.#clients.serve(endpoints),
    });
    const { clientCa } = authenticator;
    this.#grpc = new GrpcListener(options, clientCa, (carrier, peer) => acceptor.accept(carrier, peer));
    this.#tunnel = new TunnelListener(options, clientCa, (carrier, peer) => acceptor.accept(carrier, peer));
    this.#watch = new SessionWatch(this.#routes, authenticator, options.logger);
  }

  get ports(): EdgePorts {
    return this.#ports;
  }

  /** Tunnel ports first: when clients can come, agents can too. */
  async listen(): Promise<void> {
    try {
      const { grpc, tunnel, grpcPlaintext } = this.#options;
      const ports = {
        grpc: await this.#grpc.listen(grpc),
        tunnel: await this.#tunnel.listen(tunnel),
        ...(grpcPlaintext && { grpcPlaintext: await this.#grpc.listenPlaintext(grpcPlaintext) }),
      };
      this.#ports = { ...ports, proxy: 0 };
      this.#ports = { ...ports, ...(await this.#clients.listen()) };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  stats(): readonly TunnelStats[] {
    return [...this.#figures.endpoints(this.#routes.hosts)].map(([domain, figures]) => ({
      domain,
      sessions: this.#routes.find(domain)?.size ?? 0,
      ...figures,
      breaker: this.#policies.breaker(domain),
      rateLimit: this.#policies.rateLimit(domain),
    }));
  }

  sessions(): readonly SessionView[] {
    return [...this.#routes.sessions].map((session) => {
      const { principal, openedAt, labels, weight, canWithdraw } = session.identity;
      const { facts, mode, inFlight, peers } = session;
      return { ...facts, principal: principal.id, openedAt, labels, weight, canWithdraw, mode, inFlight, peers };
    });
  }

  subscribe(listener: EdgeListener): () => void {
    return this.#events.subscribe(listener);
  }

  disconnect(domain: string): number {
    const sessions = [...(this.#routes.find(domain) ?? [])];
    this.#disconnections.take(
      domain,
      sessions.map(({ identity }) => identity.run),
    );
    for (const session of sessions) {
      if (session.canSpare(domain)) this.#withdraw(session, domain);
      else this.#end(session);
    }
    this.#routes.desert(domain);
    return sessions.length;
  }

  #withdraw(session: EdgeSession, domain: string): void {
    const reason = disconnectedError(domain);
    this.#routes.release(session, domain);
    session.withdraw({ endpoint: domain, reason });
    this.#options.logger.warn({ ...session.facts, domain }, 'endpoint disconnected by the operator');
    this.#events.emit({ type: 'session-withdrawn', ...session.facts, domain, code: reason.code });
  }

  #end(session: EdgeSession): void {
    this.#options.logger.warn(session.facts, 'session disconnected by the operator');
    this.#routes.remove(session);
    session.close(new GiraffeError('GIR_ERR_DISCONNECTED'));
  }

  overview(): EdgeOverview {
    return { ...this.#moment(), totals: this.#figures.overall(), now: this.#look() };
  }

  snapshot(): MetricsSnapshot {
    return {
      role: 'edge',
      ...this.#moment(),
      metrics: [...edgeMetrics(this.#figures.totals, this.#look()), this.#guard.metric()],
    };
  }

  #moment(): { readonly startedAt: Date; readonly takenAt: Date } {
    return { startedAt: this.#startedAt, takenAt: new Date() };
  }

  #look(): EdgeNow {
    return lookAtEdge(this.#routes, this.#policies, this.#clients.connections);
  }

  rejections(): Readonly<Record<string, number>> {
    return this.#figures.rejections;
  }

  reconfigure(changes: EdgeChanges): void {
    if (changes.trustedProxies !== undefined) this.#isTrusted = createProxyTrust(changes.trustedProxies);
    Object.assign(this.#options, changes);
    this.#clients.limitsChanged();
    for (const session of this.#routes.sessions) session.limitsChanged();
  }

  changePolicy(policy: EdgePolicy): void {
    this.#policies.change(policy);
    this.#clients.changePolicy(policy);
  }

  reload(certificate: EdgeOptions['certificate'], proxy?: EdgeOptions['proxyCertificate']): void {
    this.#certificate = certificate;
    if (proxy !== undefined) this.#clients.reload(proxy);
    this.#reloadTls();
  }

  changeAuthProviders(providers: readonly NamedAuthProvider[]): void {
    this.#authenticator.use(providers);
    this.#reloadTls();
  }

  #reloadTls(): void {
    const { handshakeTimeoutMs } = this.#options.limits;
    const { clientCa } = this.#authenticator;
    this.#grpc.reload(this.#certificate, handshakeTimeoutMs, clientCa);
    this.#tunnel.reload(this.#certificate, handshakeTimeoutMs, clientCa);
  }

  /** Clients first: no new work comes in. Sessions last: what is in flight needs them to the end. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#events.emit({ type: 'draining' });
    const reason = new GiraffeError('GIR_ERR_DRAINING');
    this.#clients.drain();
    this.#grpc.stopAccepting();
    this.#tunnel.stopAccepting();
    for (const session of this.#routes.sessions) session.announceLeaving(reason);
    await withDeadline(this.#clientsDone(), deadlineMs);
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isDraining = true;
    this.#watch[Symbol.dispose]();
    this.#clients.close();
    const sessions = [...this.#routes.sessions];
    for (const session of sessions) session.close(new GiraffeError('GIR_ERR_DRAINING', 'the edge has closed'));
    if (sessions.length > 0) await new Promise((resolve) => setTimeout(resolve, farewellMs));
    this.#grpc.close();
    this.#tunnel.close();
  }

  /** Resolves when every exchange has ended and every client has its answer. */
  async #clientsDone(): Promise<void> {
    await this.#dispatcher.idle();
    await this.#clients.closed();
  }
}

async function withDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
