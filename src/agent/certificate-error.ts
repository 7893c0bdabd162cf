/**
 * Tells errors of certificate verification from other failures of TLS, and says what is wrong with the certificate.
 */
import type { PeerCertificate } from 'node:tls';

/** Says whether an error is one of OpenSSL's verification results, or Node's own for names. */
export function isCertificateError(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME)/.test(
    code,
  );
}

/** Returns what is wrong, for people. */
export function certificateText(error: NodeJS.ErrnoException & { cert?: PeerCertificate; host?: string }): string {
  if (error.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return error.message;
  const names = error.cert?.subjectaltname ?? 'no name at all';
  return `the certificate is for ${names}, not for ${error.host ?? 'this host'}`;
}
