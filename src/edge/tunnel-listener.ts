/**
 * The TCP tunnel port (4443): TLS connections that carry frames.
 */
import { createServer, type Server } from 'node:tls';
import type { Logger } from '../telemetry/logger.ts';
import type { Carrier } from '../tunnel/carrier.ts';
import { createTlsCarrier } from '../tunnel/tls-carrier.ts';
import type { EdgeOptions } from './edge-options.ts';
import { listen, reloadTls, stopListening, tunnelTlsOptions } from './listen.ts';
import { gateKey, StrangerGate } from './stranger-gate.ts';
import { type TunnelPeer, tunnelPeer } from './tunnel-peer.ts';

/** Protocol name in the TLS handshake (ALPN). */
const alpnProtocol = 'giraffe';

/** The TCP tunnel port of one edge. */
export class TunnelListener {
  readonly #server: Server;
  readonly #gate: StrangerGate;
  readonly #logger: Logger;

  /** @param clientCa PEM of the CAs of agents' certificates; undefined does not ask for any. */
  constructor(
    options: EdgeOptions,
    clientCa: string | undefined,
    onCarrier: (carrier: Carrier, peer: TunnelPeer) => void,
  ) {
    const { limits, logger } = options;
    this.#logger = logger;
    this.#gate = new StrangerGate(limits.maxStrangers, limits.handshakeTimeoutMs);
    this.#server = createServer({
      ...tunnelTlsOptions(options.certificate, limits.handshakeTimeoutMs, clientCa),
      ALPNProtocols: [alpnProtocol],
    });
    this.#server.on('connection', (socket) => this.#gate.enter(socket));
    this.#server.on('secureConnection', (socket) => {
      this.#gate.secured(socket);
      const key = gateKey(socket);
      onCarrier(
        createTlsCarrier(socket, () => this.#gate.admit(key)),
        tunnelPeer(socket),
      );
    });
    this.#server.on('tlsClientError', (error) =>
      logger.debug({ err: error }, 'TLS handshake failed on the TCP tunnel port'),
    );
  }

  async listen(address: EdgeOptions['tunnel']): Promise<number> {
    return listen(this.#server, address, this.#logger);
  }

  /** Uses another certificate, and other CAs of agents, for new connections. */
  reload(certificate: EdgeOptions['certificate'], handshakeTimeoutMs: number, clientCa: string | undefined): void {
    reloadTls(this.#server, tunnelTlsOptions(certificate, handshakeTimeoutMs, clientCa));
  }

  stopAccepting(): void {
    stopListening(this.#server);
  }

  close(): void {
    this.stopAccepting();
    this.#gate.close();
  }
}
