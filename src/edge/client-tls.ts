/**
 * TLS on the proxy port: handshakes for connections that have been accepted, with what is known of their clients.
 */
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { EdgeOptions } from './edge-options.ts';
import { reloadTls, tunnelTlsOptions } from './listen.ts';
import type { ServedCertificates } from './served-certificates.ts';
import { gateKey } from './stranger-gate.ts';

type SniFound = (error: null, context: SecureContext | undefined) => void;

/** Name in ALPN of RFC 8737. */
const challengeProtocol = 'acme-tls/1';

/** What a port speaks TLS with. */
export interface ListenerTls {
  readonly certificate: EdgeOptions['certificate'];
  /** Certificates by name, in place of the first one where there are. */
  readonly served: ServedCertificates | undefined;
}

/** Does handshakes. Facts go with a connection from {@link secure} to the end of its handshake. */
export class ClientTls<Facts> {
  readonly #server: TlsServer;
  readonly #handshakeTimeoutMs: number;
  /** For CAs that look for a proof (RFC 8737). */
  readonly #challenges: TlsServer | undefined;
  readonly #waiting = new Map<string, { readonly socket: Socket; readonly facts: Facts }>();

  constructor(
    { certificate, served }: ListenerTls,
    { limits: { handshakeTimeoutMs }, logger }: Pick<EdgeOptions, 'limits' | 'logger'>,
    onSecure: (socket: TLSSocket, facts: Facts) => void,
  ) {
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    // It never listens: it only turns sockets into secure ones.
    this.#server = createServer({
      ...tunnelTlsOptions(certificate, handshakeTimeoutMs, undefined),
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(served && { SNICallback: (name: string, found: SniFound) => found(null, served.contextFor(name)) }),
    });
    this.#challenges =
      served &&
      createServer({
        ALPNProtocols: [challengeProtocol],
        SNICallback: (name, found) => found(null, served.challengeContextFor(name)),
      });
    this.#challenges?.on('secureConnection', (socket) => socket.destroySoon());
    this.#challenges?.on('tlsClientError', (_error, socket) => socket.destroy());
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
    if (this.#challenges === undefined) this.#server.emit('connection', socket);
    else this.#tellApart(socket, this.#challenges);
  }

  /** Looks into the ClientHello for the protocol of CAs that look for a proof; everybody else goes on as usual. */
  #tellApart(socket: Socket, challenges: TlsServer): void {
    const timer = setTimeout(() => socket.destroy(), this.#handshakeTimeoutMs);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => clearTimeout(timer));
    socket.once('data', (hello: Buffer) => {
      clearTimeout(timer);
      socket.pause();
      socket.unshift(hello);
      (hello.includes(challengeProtocol) ? challenges : this.#server).emit('connection', socket);
    });
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
