/**
 * Says what a failed connection to an origin means. Everything else about origins is judged by the response parser.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { certificateText, isCertificateError } from './certificate-error.ts';
import { withoutOpensslForm } from './openssl-text.ts';

/** How far a connection had come when it failed. */
export type ConnectPhase = 'tcp' | 'tls';

/** Codes after which the origin counts as out of reach, until a connection succeeds. */
export const unreachableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'GIR_ERR_ORIGIN_REFUSED',
  'GIR_ERR_ORIGIN_DNS',
  'GIR_ERR_ORIGIN_CERTIFICATE',
  'GIR_ERR_ORIGIN_TLS',
  'GIR_ERR_ORIGIN_CONNECT_TIMEOUT',
]);

/**
 * Turns a system error of a connection that never came up into its code.
 *
 * @param target The target as text, for the detail. Details stay on the agent's machine.
 */
export function connectFailure(error: NodeJS.ErrnoException, phase: ConnectPhase, target: string): GiraffeError {
  if (phase === 'tls' && isCertificateError(error)) {
    return new GiraffeError('GIR_ERR_ORIGIN_CERTIFICATE', `${target}: ${certificateText(error)}`, { cause: error });
  }
  return new GiraffeError(connectCode(error.code ?? '', phase), `${target}: ${reasonText(error)}`, { cause: error });
}

function connectCode(systemCode: string, phase: ConnectPhase): ErrorCode {
  if (phase === 'tls') return 'GIR_ERR_ORIGIN_TLS';
  if (systemCode === 'ENOTFOUND' || systemCode.startsWith('EAI_')) return 'GIR_ERR_ORIGIN_DNS';
  if (systemCode === 'ETIMEDOUT') return 'GIR_ERR_ORIGIN_CONNECT_TIMEOUT';
  // ECONNREFUSED, ENOENT and EACCES of a Unix socket, EHOSTUNREACH, ENETUNREACH, EMFILE…: nothing was sent in any of them.
  return 'GIR_ERR_ORIGIN_REFUSED';
}

/** An error over several addresses has no message of its own. */
function reasonText(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError) return error.errors.map((one) => String(one?.message ?? one)).join('; ');
  return withoutOpensslForm(error.message);
}
