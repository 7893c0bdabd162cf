/**
 * The proxy port (8081): accepts client connections and keeps them within their limits.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ClientFacts } from '../http/forwarding.ts';
import { ClientConnection, type ConnectionContext } from './client-connection.ts';
import type { ExchangeOpener } from './client-ports.ts';
import type { EdgeOptions } from './edge-options.ts';
import { listen, stopListening } from './listen.ts';
import { PausedProbe } from './paused-probe.ts';
import { createProxyTrust } from './proxy-trust.ts';

/** Octets a socket buffers before it asks to wait: one read's worth. */
const socketBufferBytes = 64 * 1024;
/** Time between looks at the connections' deadlines, in milliseconds. */
const sweepMs = 500;
/** Connections above the limit that are still told so; further ones are just closed. */
const maxSurplus = 100;

/** The proxy port of one edge. */
export class ClientListener {
  readonly #options: EdgeOptions;
  readonly #opener: ExchangeOpener;
  readonly #server: Server;
  readonly #connections = new Set<ClientConnection>();
  readonly #pausedProbe = new PausedProbe();
  readonly #isTrusted: (address: string) => boolean;
  readonly #timer: NodeJS.Timeout;
  #isDraining = false;
  #onEmpty: (() => void) | undefined;

  /** @throws {GiraffeError} GIR_ERR_CONFIG for a trusted proxy that is no address or network. */
  constructor(options: EdgeOptions, opener: ExchangeOpener) {
    this.#options = options;
    this.#opener = opener;
    this.#isTrusted = createProxyTrust(options.trustedProxies);
    const { limits } = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: socketBufferBytes }, (socket) =>
      this.#accept(socket),
    );
    this.#server.maxConnections = limits.maxConnections + maxSurplus;
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  async listen(address: EdgeOptions['proxy']): Promise<number> {
    return listen(this.#server, address, this.#options.logger);
  }

  /** Stops accepting, closes idle connections, and lets busy ones finish what they are answering. */
  drain(): void {
    this.#isDraining = true;
    stopListening(this.#server);
    for (const connection of this.#connections) connection.drain();
  }

  /** Resolves when no client connection is open any more. */
  async closed(): Promise<void> {
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  close(): void {
    this.drain();
    clearInterval(this.#timer);
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket): void {
    const facts = this.#facts(socket);
    if (facts === undefined) {
      socket.destroy();
      return;
    }
    const context: ConnectionContext = {
      opener: this.#opener,
      limits: this.#options.limits,
      facts,
      pausedProbe: this.#pausedProbe,
      isDraining: () => this.#isDraining,
      isSurplus: this.#connections.size >= this.#options.limits.maxConnections,
      onClosed: (connection) => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    };
    this.#connections.add(new ClientConnection(socket, context));
  }

  /** A socket whose client is already gone has no address. */
  #facts(socket: Socket): ClientFacts | undefined {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined) return undefined;
    return { address, port, scheme: 'http', isTrustedProxy: this.#isTrusted(address) };
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.sweep(nowMs);
  }
}
