/** Names what was wrong with a request, in few words that programs can count by. */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Kinds of failure besides the statuses, and what each means. */
export const failureKinds = {
  refused: 'nothing listens on the port',
  unreachable: 'there is no way to the machine',
  dns: 'the name could not be resolved',
  tls: 'TLS failed, mostly because the certificate is not trusted',
  closed: 'the connection was closed before an answer',
  reset: 'the connection was reset',
  incomplete: 'the answer ended too soon',
  protocol: 'the answer was not HTTP/1.1',
  timeout: 'no whole answer within --timeout',
  handshake: 'the WebSocket was not accepted',
  'echo-differs': 'the WebSocket message came back changed',
  'not-sent': 'due, but no connection was free in time (open loop)',
  descriptors: 'this machine has no file descriptor left (ulimit -n)',
  'local-ports': 'this machine has no local port left',
  other: 'anything else',
} as const;

/** One kind of failure: a word of {@link failureKinds}, or `status-` and a status of 400 or above. */
export type FailureKind = keyof typeof failureKinds | `status-${number}`;

/** The kind of a whole answer that counts as failed; undefined for one that does not. */
export function failureOfStatus(status: number): FailureKind | undefined {
  return status < 400 ? undefined : `status-${status}`;
}

const kindOfCode: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'local-ports',
  EMFILE: 'descriptors',
  ENFILE: 'descriptors',
  GIR_ERR_ORIGIN_PROTOCOL: 'protocol',
  GIR_ERR_RESPONSE_HEADERS_TOO_LARGE: 'protocol',
  GIR_ERR_RESPONSE_INCOMPLETE: 'incomplete',
  GIR_ERR_ORIGIN_CLOSED: 'closed',
};

/** The kind of an error of a socket or of the parser. */
export function failureOfError(error: unknown): FailureKind {
  const code = error instanceof GiraffeError ? error.code : codeOf(error);
  if (code === undefined) return 'other';
  const known = kindOfCode[code];
  if (known !== undefined) return known;
  return /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/.test(code) ? 'tls' : 'other';
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
