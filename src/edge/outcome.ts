/**
 * What became of an exchange: one word for the log, the figures and the policies.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { Transport } from '../extension/routing-strategy.ts';
import type { EdgeSession } from './edge-session.ts';

/** What became of an exchange. Written to the log and the figures at one place. */
export interface Outcome {
  /** Status the client got; undefined when it got none. */
  readonly status: number | undefined;
  /** Why it failed; undefined when it went well. */
  readonly error: GiraffeError | undefined;
  /** Where the request was sent last, even if it failed there; undefined when it was sent nowhere. */
  readonly transport: Transport | undefined;
  readonly session: EdgeSession | undefined;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly isRelay: boolean;
}

/** Returns the status the client got: that of the head that was sent, or of the failure response, if it was there for it. */
export function outcomeStatus(sentStatus: number | undefined, error: GiraffeError | undefined): number | undefined {
  if (sentStatus !== undefined) return sentStatus;
  return error === undefined || error.code === 'GIR_ERR_CLIENT_GONE' ? undefined : error.entry.status;
}
