/**
 * What a connection to a tunnel port itself says about the agent at its other end.
 */
import type { Socket } from 'node:net';
import { type DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { plainAddress } from '../http/forwarded.ts';

/** Certificates taken of a chain at most; a chain may name itself as its issuer. */
const maxChainLength = 10;

/** The other end of a tunnel connection. */
export interface TunnelPeer {
  /** Its address, without port; an IPv4-mapped one as IPv4. */
  readonly address: string;
  /** DER of its verified client certificate and the issuers, leaf first; undefined without one. */
  readonly certificate: readonly Buffer[] | undefined;
}

/** Returns the other end of a connection. A certificate that TLS could not verify is none. */
export function tunnelPeer(socket: Socket): TunnelPeer {
  const isVerified = socket instanceof TLSSocket && socket.authorized;
  return {
    address: plainAddress(socket.remoteAddress ?? ''),
    certificate: isVerified ? chain(socket.getPeerCertificate(true)) : undefined,
  };
}

function chain(leaf: DetailedPeerCertificate): readonly Buffer[] | undefined {
  const ders: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw !== undefined && ders.length < maxChainLength) {
    ders.push(certificate.raw);
    certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
  }
  return ders.length === 0 ? undefined : ders;
}
