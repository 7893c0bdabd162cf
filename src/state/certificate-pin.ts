/**
 * Turns the pin that the edge printed, `sha256:` and 64 hex digits, into the CA certificate it stands for.
 *
 * Only picks the certificate: whether the peer's chain leads to it is for the TLS connection made with it.
 */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';

const pinPattern = /^sha256:([0-9a-f]{64})$/;

/** Returns the pin of a certificate: `sha256:` and the SHA-256 of its DER form in 64 lower-case hex digits. */
export function certificatePin(der: Uint8Array): string {
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}

/** Tells whether a text means a pin and not a file, if only by how it begins. */
export function looksLikePin(text: string): boolean {
  return /^sha256:/i.test(text);
}

/**
 * Returns a pin in its canonical form, lower case.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG when it is not `sha256:` and 64 hex digits.
 */
export function parsePin(text: string): string {
  const pin = text.trim().toLowerCase();
  if (pinPattern.test(pin)) return pin;
  throw new GiraffeError(
    'GIR_ERR_CONFIG',
    '--ca takes sha256: and 64 hex digits, as the edge printed it, or a file with the CA certificate',
  );
}

/**
 * Returns the PEM of the certificate that a pin stands for.
 *
 * @param peerChainDer The certificates a TLS peer presented, DER, in any order.
 * @throws {GiraffeError} GIR_ERR_CONFIG for a malformed pin; GIR_ERR_EDGE_CERTIFICATE when none of the certificates matches.
 */
export function caFromPin(pin: string, peerChainDer: readonly Uint8Array[]): string {
  const wanted = Buffer.from(parsePin(pin));
  const match = peerChainDer.find((der) => timingSafeEqual(Buffer.from(certificatePin(der)), wanted));
  if (match !== undefined) return new X509Certificate(match).toString();
  throw new GiraffeError(
    'GIR_ERR_EDGE_CERTIFICATE',
    `none of the ${peerChainDer.length} certificates the edge presented has the pin ${wanted.toString()}. ` +
      'Compare it with the pin the edge prints when it starts; another one may mean that someone is in between.',
  );
}
