/**
 * TLS on the proxy port: handshakes for connections that have been accepted, with what is known of their clients.
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Logger } from '../telemetry/logger.ts';
import type { EdgeOptions } from './edge-options.ts';
import { reloadTls, tunnelTlsOptions } from './listen.ts';
import { gateKey } from './stranger-gate.ts';

/** Does handshakes. Facts go with a connection from {@link secure} to the end of its handshake. */
export class ClientTls<Facts> {
  readonly #server: TlsServer;
  readonly #handshakeTimeoutMs: number;
  readonly #waiting = new Map<string, { readonly socket: Socket; readonly facts: Facts }>();

  constructor(
    certificate: EdgeOptions['certificate'],
    { handshakeTimeoutMs }: { readonly handshakeTimeoutMs: number },
    logger: Logger,
    onSecure: (socket: TLSSocket, facts: Facts) => void,
  ) {
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    // It never listens: it only turns sockets into secure ones.
    this.#server = createServer({
      ...tunnelTlsOptions(certificate, handshakeTimeoutMs, undefined),
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    this.#server.on('secureConnection', (socket) => {
      const waiting = this.#waiting.get(gateKey(socket));
      this.#waiting.delete(gateKey(socket));
      if (waiting === undefined) socket.destroy();
      else onSecure(socket, waiting.facts);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      logger.debug({ err: error }, 'TLS handshake failed on the proxy port');
      socket.destroy();
    });
  }

  /** Connections in their handshake, a count. */
  get handshakes(): number {
    return this.#waiting.size;
  }

  /** Begins a handshake. What has been read of the socket and unshifted is part of it. */
  secure(socket: Socket, facts: Facts): void {
    const key = gateKey(socket);
    this.#waiting.set(key, { socket, facts });
    socket.once('close', () => {
      if (this.#waiting.get(key)?.socket === socket) this.#waiting.delete(key);
    });
    this.#server.emit('connection', socket);
  }

  /** Uses another certificate for new connections. */
  reload(certificate: EdgeOptions['certificate']): void {
    reloadTls(this.#server, tunnelTlsOptions(certificate, this.#handshakeTimeoutMs, undefined));
  }

  /** Drops connections that are in their handshake. */
  close(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy();
  }
}
