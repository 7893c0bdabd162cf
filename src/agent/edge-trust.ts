/**
 * How the agent verifies the edge, and shows itself, the same for both ways to it.
 *
 * A pin stands for a CA that the agent does not have: the first connection only collects the edge's chain, and what
 * matches the pin is then trusted by connections that verify as usual.
 */
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { caFromPin } from '../state/certificate-pin.ts';
import type { ClientCertificate, EdgeTrust } from './agent-options.ts';

/** Certificates looked at in a chain at most; a chain may name itself as its issuer. */
const maxChainLength = 10;

/** Knows how to reach one edge by TLS. */
export class EdgeVerifier {
  readonly #trust: EdgeTrust;
  readonly #host: string;
  readonly #own: ConnectionOptions;
  /** The CA that the pin stands for, once found. It cannot change: the pin is its hash. */
  #pinnedCa: string | undefined;

  /** @param clientCertificate Shown to an edge that asks for one; undefined shows none. */
  constructor(trust: EdgeTrust, host: string, clientCertificate: ClientCertificate | undefined) {
    this.#trust = trust;
    this.#host = host;
    this.#own =
      clientCertificate === undefined ? {} : { cert: clientCertificate.certPem, key: clientCertificate.keyPem };
  }

  /**
   * Returns the options of a connection that verifies the edge.
   *
   * @param alpn Protocol spoken on the port.
   * @throws {GiraffeError} GIR_ERR_EDGE_CERTIFICATE when no certificate of the edge has the pin. Also throws errors of
   *   the connection that collects them.
   */
  async options(port: number, alpn: string, signal: AbortSignal): Promise<ConnectionOptions> {
    const host = this.#host;
    const base: ConnectionOptions = { host, port, ALPNProtocols: [alpn], minVersion: 'TLSv1.2' };
    // A literal address is no server name (RFC 6066 section 3); Node then compares the certificate with `host`.
    if (isIP(host) === 0) base.servername = host;
    const trust = this.#trust;
    if (trust.kind === 'system') return { ...base, ...this.#own };
    if (trust.kind === 'insecure') return { ...base, ...this.#own, rejectUnauthorized: false };
    if (trust.kind === 'ca') return { ...base, ...this.#own, ca: trust.pem };
    this.#pinnedCa ??= caFromPin(trust.pin, await collectChain({ ...base, rejectUnauthorized: false }, signal));
    return { ...base, ...this.#own, ca: this.#pinnedCa };
  }
}

/**
 * Opens a TLS connection; with `options.socket`, over that one.
 *
 * @throws The reason of `signal`, or the error of the socket.
 */
export function connectTls(options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(options);
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('secureConnect', onConnect).off('error', onError).off('close', onClose);
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const onError = (error: Error): void => {
      settle();
      // What else goes wrong while it closes is of no interest.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = (): void => onError(signal.reason as Error);
    const onClose = (): void => onError(new Error('the connection was closed during the TLS handshake'));
    signal.addEventListener('abort', onAbort);
    socket.on('secureConnect', onConnect).on('error', onError).on('close', onClose);
  });
}

async function collectChain(options: ConnectionOptions, signal: AbortSignal): Promise<Buffer[]> {
  const socket = await connectTls(options, signal);
  socket.on('error', () => {});
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < maxChainLength) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
  }
  socket.destroy();
  return chain;
}
