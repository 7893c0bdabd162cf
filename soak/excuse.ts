/**
 * Which failures a disturbance may cause, and which it may not. Pure.
 *
 * The soak's statement of what giraffe promises about drains, retries and agents that are away.
 */
import { codes, type ErrorCode } from '../src/errors/codes.ts';
import { proxyStatusValue } from '../src/http/proxy-status.ts';
import type { Failure } from './failure.ts';

/** What a disturbance takes away. */
export interface Excuse {
  /** Hosts of which an agent is lost with all that it has in flight. */
  readonly lost: readonly string[];
  /** Hosts that no agent serves for a while. */
  readonly away: readonly string[];
  /** Whether the edge goes on, takes leave of what is in flight, or vanishes. */
  readonly edge: 'stays' | 'leaves' | 'dies';
}

/** Nothing may fail. */
export const noExcuse: Excuse = { lost: [], away: [], edge: 'stays' };

/** Work that failed. */
export interface FailedWork {
  readonly host: string;
  readonly isRepeatable: boolean;
  readonly failure: Failure;
}

/** Tells whether a failure is one that may be. */
export function excuses({ lost, away, edge }: Excuse, { host, isRepeatable, failure }: FailedWork): boolean {
  switch (failure.kind) {
    case 'refused':
    case 'closed':
      return edge !== 'stays';
    case 'cut':
      return edge === 'dies' || lost.includes(host);
    case 'answered':
      return allowedCodes().some((code) => isAnswerOf(code, failure));
    case 'wrong':
    case 'stuck':
      return false;
  }

  function allowedCodes(): ErrorCode[] {
    const isAway = away.includes(host);
    return [
      // With another agent there, what can be sent again is.
      ...(lost.includes(host) && (isAway || !isRepeatable) ? (['GIR_ERR_SESSION_LOST'] as const) : []),
      ...(isAway || edge !== 'stays' ? (['GIR_ERR_NO_UPSTREAM', 'GIR_ERR_DRAINING'] as const) : []),
    ];
  }
}

/** Whether an answer says a code as the table has it. Without a body, as for HEAD, status and Proxy-Status have to do. */
function isAnswerOf(code: ErrorCode, failure: Extract<Failure, { kind: 'answered' }>): boolean {
  const isNamed = failure.code === undefined || failure.code === code;
  return isNamed && failure.status === codes[code].status && failure.proxyStatus === proxyStatusValue(code);
}
