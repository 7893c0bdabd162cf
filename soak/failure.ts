/**
 * How work failed, in the terms by which a failure is judged: what the client was told, and by whom.
 *
 * Says nothing about whether that was to be expected; ledger.ts does.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** What a client saw in place of the whole, right answer. */
export type Failure =
  /** Giraffe, or whoever else, answered with an error. `code` is undefined where there is no body to tell it, as for HEAD. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly code: string | undefined;
      readonly proxyStatus: string;
    }
  /** The answer began and broke off; or the WebSocket was open and its connection broke. */
  | { readonly kind: 'cut'; readonly detail: string }
  /** The connection or stream ended before any answer. */
  | { readonly kind: 'closed'; readonly detail: string }
  /** Nothing listened. */
  | { readonly kind: 'refused' }
  /** An answer came whole, and was not the right one. No disturbance explains that. */
  | { readonly kind: 'wrong'; readonly detail: string }
  /** Neither an answer nor an end came. No disturbance explains that. */
  | { readonly kind: 'stuck'; readonly detail: string };

/** Thrown by work that failed. */
export class WorkFailure extends Error {
  override readonly name = 'WorkFailure';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failureText(failure));
    this.failure = failure;
  }
}

/** Returns the failure that says an answer was not the right one. */
export function wrong(detail: string): WorkFailure {
  return new WorkFailure({ kind: 'wrong', detail });
}

/** Returns the failure that an error answer is. @param body Empty for HEAD. */
export function answered(status: number, headers: IncomingHttpHeaders, body: string): WorkFailure {
  const proxyStatus = headers['proxy-status'];
  return new WorkFailure({
    kind: 'answered',
    status,
    code: /GIR_ERR_[A-Z_]+/.exec(body)?.[0],
    proxyStatus: typeof proxyStatus === 'string' ? proxyStatus : '',
  });
}

/** Returns the failure behind any error that a client met. @param hasBegun Whether the head of the answer had come. */
export function failureOf(error: unknown, hasBegun = false): WorkFailure {
  if (error instanceof WorkFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  // HTTP/2 tells it as the cause of a stream's end, in words.
  if (code === 'ECONNREFUSED' || message.includes('ECONNREFUSED')) return new WorkFailure({ kind: 'refused' });
  const detail = code === undefined || message.includes(code) ? message : `${code}: ${message}`;
  return new WorkFailure({ kind: hasBegun ? 'cut' : 'closed', detail });
}

/** A failure in a few words, the same for all of a kind. */
export function failureText(failure: Failure): string {
  switch (failure.kind) {
    case 'answered':
      return `${failure.status} ${failure.code ?? (failure.proxyStatus || 'without Proxy-Status')}`;
    case 'refused':
      return 'refused';
    default:
      return `${failure.kind}: ${failure.detail}`;
  }
}
