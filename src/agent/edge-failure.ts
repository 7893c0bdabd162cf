/**
 * Turns a failed way to the edge into something a person can act on: the certificate, or the network.
 */
import type { PeerCertificate } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Codes of refusals that stay as they are, however often one asks. */
const finalCodes = new Set(['GIR_ERR_CREDENTIALS_REFUSED', 'GIR_ERR_ENDPOINT_REFUSED', 'GIR_ERR_PROTOCOL_VERSION']);

/** Says whether another attempt is pointless. */
export function isFinalRefusal(error: GiraffeError): boolean {
  return finalCodes.has(error.code);
}

/**
 * Returns GIR_ERR_EDGE_CERTIFICATE or GIR_ERR_EDGE_UNREACHABLE for an error of a connection or call; what the edge itself
 * said stays as it is.
 *
 * @param address Host and port that were dialed.
 */
export function edgeFailure(error: Error, address: string): GiraffeError {
  if (error instanceof GiraffeError && error.code !== 'GIR_ERR_SESSION_LOST') return error;
  if (isCertificateError(error)) {
    return new GiraffeError('GIR_ERR_EDGE_CERTIFICATE', `${address}: ${certificateText(error)}`, { cause: error });
  }
  return new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', `${address}: ${reasonText(error)}`, { cause: error });
}

/** The error for an edge that is silent. @param timeoutMs How long it was waited for, in milliseconds. */
export function noAnswer(address: string, timeoutMs: number): GiraffeError {
  return new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', `${address} did not answer within ${timeoutMs} ms`);
}

/** Makes one error of the failures of all ways to the edge: a certificate problem is the most telling one. */
export function allFailed(failures: readonly GiraffeError[]): GiraffeError {
  const certificate = failures.find(({ code }) => code === 'GIR_ERR_EDGE_CERTIFICATE');
  const worst = certificate ?? failures[0] ?? new GiraffeError('GIR_ERR_EDGE_UNREACHABLE');
  const detail = [...new Set(failures.map(({ message }) => message))].join('; ');
  return new GiraffeError(worst.code, detail, { cause: worst });
}

/** OpenSSL's verification results, and Node's own for names. */
function isCertificateError(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME)/.test(
    code,
  );
}

function certificateText(error: NodeJS.ErrnoException & { cert?: PeerCertificate; host?: string }): string {
  if (error.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return error.message;
  const names = error.cert?.subjectaltname ?? 'no name at all';
  return `the certificate is for ${names}, not for ${error.host ?? 'this host'}`;
}

/** The innermost message: neither grpc-js's frame around it nor the several addresses of one host matter to people. */
function reasonText(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one) => reasonText(one)).join('; ');
  if (/Name resolution failed/.test(error.message)) return 'the host name cannot be resolved';
  const inner = /Last error: (?:Error: )?(.*?)(?: \([0-9T:.Z-]+\))?\. Resolution note:/.exec(error.message)?.[1];
  return inner ?? error.message;
}
