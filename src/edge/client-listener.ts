/**
 * The proxy port (8081): accepts client connections, over TLS if it has a certificate, and keeps them within their limits.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { plainAddress } from '../http/forwarded.ts';
import type { ClientFacts } from '../http/forwarding.ts';
import { http2ProbeIntervalMs, PausedProbe } from '../tunnel/paused-probe.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientFront, ConnectionContext } from './client-front.ts';
import type { ExchangeOpener } from './client-ports.ts';
import { ClientTls, type ListenerTls } from './client-tls.ts';
import type { EdgeOptions } from './edge-options.ts';
import { Http2Connection } from './http2-connection.ts';
import { backlog, listen } from './listen.ts';
import { ConnectionCounts } from './policy/connection-counts.ts';
import { type EdgePolicy, noPolicy } from './policy/policy-gate.ts';
import type { ProxiedClient } from './policy/proxy-protocol.ts';
import { readProxyPreamble } from './proxy-preamble.ts';
import { createProxyTrust } from './proxy-trust.ts';

/** Octets a socket buffers before it asks to wait: one read's worth. */
const socketBufferBytes = 64 * 1024;
/** Time between looks at the connections' deadlines, in milliseconds. */
const sweepMs = 500;
/** Connections above the limit that are still told so; further ones are just closed. */
const maxSurplus = 100;
/** The same for the limit of one client address. */
const maxSurplusPerClient = 8;

/** While the port drains, clients that have connected have so long to send their first request, in milliseconds. */
const firstRequestMs = 500;

/** What is decided about a connection before it is read. */
interface Admission {
  /** What was accepted: the connection itself, under TLS where there is TLS. */
  readonly accepted: Socket;
  readonly facts: ClientFacts;
  /** Why it gets nothing but a refusal. */
  readonly refusal: GiraffeError | undefined;
}

/** A port for clients of one edge. */
export class ClientListener {
  readonly #options: EdgeOptions;
  readonly #opener: ExchangeOpener;
  readonly #server: Server;
  readonly #connections = new Set<ClientFront>();
  /** Undefined for plain HTTP. */
  readonly #tls: ClientTls<Admission> | undefined;
  readonly #pausedProbe = new PausedProbe();
  readonly #http2Probe = new PausedProbe(http2ProbeIntervalMs);
  readonly #isTrusted: (address: string) => boolean;
  readonly #counts = new ConnectionCounts();
  /** Connections whose PROXY protocol header has not arrived yet. */
  readonly #unread = new Set<Socket>();
  #announcesClients: (address: string) => boolean = () => false;
  #maxPerClient = 0;
  readonly #timer: NodeJS.Timeout;
  /** Connections so far, a count. */
  #accepted = 0;
  /** Set once the port drains; resolves when no connection is open any more. */
  #drained: Promise<void> | undefined;

  /**
   * @param isTrusted Whether the peer at an address is a proxy whose word about its clients is believed.
   * @param tls Makes the port speak HTTPS. Default plain HTTP/1.1.
   * @throws {GiraffeError} GIR_ERR_CONFIG for a PROXY protocol peer that is no address or network.
   */
  constructor(
    options: EdgeOptions,
    isTrusted: (address: string) => boolean,
    opener: ExchangeOpener,
    tls?: ListenerTls | undefined,
  ) {
    this.#options = options;
    this.#opener = opener;
    this.#isTrusted = isTrusted;
    this.changePolicy(options.policy ?? noPolicy);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: socketBufferBytes }, (socket) =>
      this.#accept(socket),
    );
    this.#tls = tls && new ClientTls(tls, options, (socket, admission) => this.#open(socket, admission));
    this.limitsChanged();
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  /** Takes note of other bounds in the options. */
  limitsChanged(): void {
    this.#server.maxConnections = this.#options.limits.maxConnections + maxSurplus;
  }

  /** Open connections, a count. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Puts other limits in force for new connections. */
  changePolicy({ proxyProtocolPeers, maxConnectionsPerClient }: EdgePolicy): void {
    this.#announcesClients = createProxyTrust(proxyProtocolPeers, 'PROXY protocol peer');
    this.#maxPerClient = maxConnectionsPerClient === 0 ? Number.POSITIVE_INFINITY : maxConnectionsPerClient;
  }

  /** Uses another certificate for new connections, if the port speaks TLS. */
  reload(certificate: EdgeOptions['certificate']): void {
    this.#tls?.reload(certificate);
  }

  async listen(address: EdgeOptions['proxy']): Promise<number> {
    return listen(this.#server, address, this.#options.logger);
  }

  /** Stops accepting, closes idle connections, and lets busy ones finish what they are answering. */
  drain(): void {
    this.#drained ??= this.#drain();
  }

  /** Resolves when the port has drained and no client connection is open any more. */
  async closed(): Promise<void> {
    await this.#drained;
  }

  close(): void {
    this.drain();
    clearInterval(this.#timer);
    this.#server.close();
    this.#dropUnread();
    for (const connection of this.#connections) connection.destroy();
  }

  /** Whoever has connected is served: the system holds connections that are not accepted yet, and requests that are not read. */
  async #drain(): Promise<void> {
    await this.#acceptWaiting();
    const closed = new Promise<unknown>((resolve) => this.#server.close(resolve));
    await nextTurn();
    for (const connection of this.#connections) if (connection.hasServed) connection.drain();
    const timer = setTimeout(() => {
      this.#dropUnread();
      for (const connection of this.#connections) connection.drain();
    }, firstRequestMs);
    await closed;
    clearTimeout(timer);
  }

  /** Each turn accepts one. Those that come meanwhile must not go on for ever. */
  async #acceptWaiting(): Promise<void> {
    const mostAccepted = this.#accepted + backlog;
    let before: number;
    do {
      before = this.#accepted;
      await nextTurn();
      await nextTurn();
    } while (before < this.#accepted && this.#accepted < mostAccepted);
  }

  /** Drops connections that are no HTTP yet. */
  #dropUnread(): void {
    for (const socket of this.#unread) socket.destroy();
    this.#tls?.close();
  }

  #accept(socket: Socket): void {
    this.#accepted += 1;
    const facts = this.#facts(socket);
    if (facts === undefined) {
      socket.destroy();
      return;
    }
    if (!this.#announcesClients(facts.address)) return this.#serve(socket, facts);
    this.#unread.add(socket);
    socket.once('close', () => this.#unread.delete(socket));
    readProxyPreamble(socket, this.#options.limits.headTimeoutMs, (preamble) => {
      this.#unread.delete(socket);
      if (preamble.kind === 'invalid') this.#serve(socket, facts, preamble.error);
      else this.#serve(socket, this.#factsBehind(facts, preamble.client));
      socket.resume();
    });
  }

  /** @param fault Why the connection gets one refusal. */
  #serve(socket: Socket, facts: ClientFacts, fault?: GiraffeError): void {
    // Behind a trusted proxy are many clients; its own connections say nothing about any of them.
    const ofClient = facts.isTrustedProxy ? 0 : this.#counts.enter(facts.address);
    const surplus = ofClient - this.#maxPerClient;
    const admission: Admission = { accepted: socket, facts, refusal: fault ?? this.#limitRefusal(surplus) };
    socket.once('close', () => {
      if (!facts.isTrustedProxy) this.#counts.leave(facts.address);
    });
    if (surplus > maxSurplusPerClient) socket.destroy();
    else if (this.#tls === undefined) this.#open(socket, admission);
    else this.#tls.secure(socket, admission);
  }

  #open(socket: Socket | TLSSocket, { accepted, facts, refusal }: Admission): void {
    const context: ConnectionContext = {
      opener: this.#opener,
      limits: this.#options.limits,
      facts,
      pausedProbe: this.#pausedProbe,
      isDraining: () => this.#drained !== undefined,
      refusal,
      onClosed: (connection) => this.#connections.delete(connection),
    };
    const isHttp2 = socket instanceof TLSSocket && socket.alpnProtocol === 'h2';
    this.#connections.add(isHttp2 ? new Http2Connection(socket, context) : new ClientConnection(socket, context));
    if (isHttp2) this.#http2Probe.addUntilClosed(accepted);
  }

  #limitRefusal(surplusOfClient: number): GiraffeError | undefined {
    if (surplusOfClient > 0) return new GiraffeError('GIR_ERR_CLIENT_CONNECTION_LIMIT');
    const open = this.#connections.size + (this.#tls?.handshakes ?? 0);
    if (open < this.#options.limits.maxConnections) return undefined;
    return new GiraffeError('GIR_ERR_CONNECTION_LIMIT');
  }

  #factsBehind(facts: ClientFacts, client: ProxiedClient): ClientFacts {
    return client === undefined ? facts : { ...client, isTrustedProxy: this.#isTrusted(client.address) };
  }

  /** A socket whose client is already gone has no address. */
  #facts(socket: Socket): ClientFacts | undefined {
    const { remoteAddress, remotePort: port } = socket;
    if (remoteAddress === undefined || port === undefined) return undefined;
    const address = plainAddress(remoteAddress);
    return {
      address,
      port,
      scheme: this.#tls === undefined ? 'http' : 'https',
      isTrustedProxy: this.#isTrusted(address),
    };
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.sweep(nowMs);
  }
}
