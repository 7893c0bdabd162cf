/**
 * The TCP tunnel port (4443): TLS connections that carry frames.
 */
import { createServer, type Server } from 'node:tls';
import type { Logger } from '../telemetry/logger.ts';
import type { Carrier } from '../tunnel/carrier.ts';
import { createTlsCarrier } from '../tunnel/tls-carrier.ts';
import type { EdgeOptions } from './edge-options.ts';
import { listen, stopListening, tunnelTlsOptions } from './listen.ts';
import { gateKey, StrangerGate } from './stranger-gate.ts';

/** Protocol name in the TLS handshake (ALPN). */
const alpnProtocol = 'giraffe';

/** The TCP tunnel port of one edge. */
export class TunnelListener {
  readonly #server: Server;
  readonly #gate: StrangerGate;
  readonly #logger: Logger;

  constructor(options: EdgeOptions, onCarrier: (carrier: Carrier) => void) {
    const { limits, logger } = options;
    this.#logger = logger;
    this.#gate = new StrangerGate(limits.maxStrangers, limits.handshakeTimeoutMs);
    this.#server = createServer({
      ...tunnelTlsOptions(options.certificate, limits.handshakeTimeoutMs),
      ALPNProtocols: [alpnProtocol],
    });
    this.#server.on('connection', (socket) => this.#gate.enter(socket));
    this.#server.on('secureConnection', (socket) => {
      this.#gate.secured(socket);
      const key = gateKey(socket);
      onCarrier(createTlsCarrier(socket, () => this.#gate.admit(key)));
    });
    this.#server.on('tlsClientError', (error) =>
      logger.debug({ err: error }, 'TLS handshake failed on the TCP tunnel port'),
    );
  }

  async listen(address: EdgeOptions['tunnel']): Promise<number> {
    return listen(this.#server, address, this.#logger);
  }

  /** Uses another certificate for new connections. */
  reload(options: EdgeOptions['certificate'], handshakeTimeoutMs: number): void {
    this.#server.setSecureContext(tunnelTlsOptions(options, handshakeTimeoutMs));
  }

  stopAccepting(): void {
    stopListening(this.#server);
  }

  close(): void {
    this.stopAccepting();
    this.#gate.close();
  }
}
