/**
 * Listening and TLS settings shared by the edge's ports.
 */
import { constants } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { TlsOptions, Server as TlsServer } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EdgeOptions, ListenAddress } from './edge-options.ts';

/** Connections that wait to be accepted. The system caps it. */
export const backlog = 4096;

/** Failures to accept are logged at most this often, in milliseconds: a port without descriptors fails in every turn. */
const acceptLogMs = 1000;

/**
 * Listens and returns the port. Later failures to accept, such as being out of file descriptors, are logged and no more:
 * what is open goes on, and accepting works again by itself.
 * @throws {GiraffeError} GIR_ERR_LISTEN, with the system's error as its cause.
 */
export async function listen(server: Server, address: ListenAddress, logger: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      const detail = `port ${address.port} cannot be listened on: ${cause.message}`;
      reject(new GiraffeError('GIR_ERR_LISTEN', detail, { cause }));
    };
    server.once('error', onError);
    server.listen(
      { port: address.port, backlog, ...(address.host === undefined ? {} : { host: address.host }) },
      () => {
        server.removeListener('error', onError);
        logAcceptErrors(server, logger);
        resolve((server.address() as AddressInfo).port);
      },
    );
  });
}

function logAcceptErrors(server: Server, logger: Logger): void {
  let loggedMs = Number.NEGATIVE_INFINITY;
  server.on('error', (error) => {
    const nowMs = performance.now();
    if (nowMs - loggedMs < acceptLogMs) return;
    loggedMs = nowMs;
    logger.error({ err: error }, 'cannot accept a connection');
  });
}

/** Uses other settings of {@link tunnelTlsOptions} for new connections. */
export function reloadTls(server: TlsServer, options: TlsOptions): void {
  server.setSecureContext(options);
  // Node has no method for it, but looks at this property of the server with each connection.
  Object.assign(server, { requestCert: options.requestCert ?? false });
}

/** Stops accepting and resolves once nothing listens any more; open connections are left alone. */
export function stopListening(server: Server): void {
  if (server.listening) server.close();
}

/**
 * TLS for the tunnel ports: 1.2 or newer, authenticated encryption only, and no
 * renegotiation, which would let a peer burn our processor.
 *
 * @param clientCa PEM of the CAs by which certificates of agents are verified; undefined does not ask for any. Agents
 *   without a certificate can connect all the same: whether they need one is for the authentication providers.
 */
export function tunnelTlsOptions(
  certificate: EdgeOptions['certificate'],
  handshakeTimeoutMs: number,
  clientCa: string | undefined,
): TlsOptions {
  return {
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true }),
    rejectUnauthorized: false,
    cert: certificate.certPem,
    key: certificate.keyPem,
    minVersion: 'TLSv1.2',
    ciphers: aeadCiphers,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: handshakeTimeoutMs,
    noDelay: true,
  };
}

const aeadCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
