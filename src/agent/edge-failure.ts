/**
 * Turns a failed way to the edge into something a person can act on: the certificate, or the network.
 */
import { durationText } from '../errors/duration-text.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { isLoopbackAddress, isLoopbackName } from '../http/loopback.ts';
import { certificateText, isCertificateError } from './certificate-error.ts';
import { withoutOpensslForm } from './openssl-text.ts';

/** Codes of refusals that stay as they are, however often one asks. */
const finalCodes = new Set([
  'GIR_ERR_CREDENTIALS_REFUSED',
  'GIR_ERR_ENDPOINT_REFUSED',
  'GIR_ERR_PROTOCOL_VERSION',
  'GIR_ERR_DISCONNECTED',
]);

/** The next step where this machine itself says that nothing listens. */
const noEdgeHere =
  'No edge runs on this machine: start one with `giraffe server start`, or name the machine where one runs with --server.';

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
  const reason = reasonText(error);
  const fix = reason.includes('ECONNREFUSED') && isHere(address) ? noEdgeHere : undefined;
  return new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', `${address}: ${reason}`, { cause: error, fix });
}

/** The error for an edge that is silent. @param timeoutMs How long it was waited for, in milliseconds. */
export function noAnswer(address: string, timeoutMs: number): GiraffeError {
  return new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', `${address} did not answer within ${durationText(timeoutMs)}`);
}

/** Makes one error of the failures of all ways to the edge: a certificate problem is the most telling one. */
export function allFailed(failures: readonly GiraffeError[]): GiraffeError {
  const certificate = failures.find(({ code }) => code === 'GIR_ERR_EDGE_CERTIFICATE');
  const worst = certificate ?? failures[0] ?? new GiraffeError('GIR_ERR_EDGE_UNREACHABLE');
  const detail = [...new Set(failures.map(({ message }) => message))].join('; ');
  // Where one port refuses and the other one does something else, an edge may well run.
  const fix = failures.every((failure) => failure.fix === worst.fix) ? worst.fix : undefined;
  return new GiraffeError(worst.code, detail, { cause: worst, fix });
}

/** Says whether an address with a port is one of this machine. */
function isHere(address: string): boolean {
  const host = address.replace(/:\d+$/, '');
  return isLoopbackName(host) || isLoopbackAddress(host);
}

/** The innermost message: neither grpc-js's frame around it nor the several addresses of one host matter to people. */
function reasonText(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one) => reasonText(one)).join('; ');
  if (/Name resolution failed|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)/.test(error.message))
    return 'the host name cannot be resolved';
  const inner = /Last error: (?:Error: )?(.*?)(?: \([0-9T:.Z-]+\))?\. Resolution note:/.exec(error.message)?.[1];
  return withoutOpensslForm(inner ?? error.message);
}
