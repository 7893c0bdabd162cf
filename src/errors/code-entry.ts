/** What a code of the table says. */

/** Which party caused a failure, as told to the person who has to mend it. */
export type Side = 'client' | 'edge' | 'tunnel' | 'agent' | 'origin';

/**
 * Whether the edge may send the same request again on another session:
 * `never`; `unsent`, when the origin cannot have seen it; `idempotent`, when it
 * may have, so that only an idempotent method qualifies (RFC 9110 section 9.2.2).
 */
export type RetryRule = 'never' | 'unsent' | 'idempotent';

/** What one code means everywhere it can appear. */
export interface CodeEntry {
  /** HTTP status sent to the client. */
  readonly status: number;
  /** Value of the `error` parameter of Proxy-Status (RFC 9209 section 2.3). */
  readonly proxyStatus: string;
  /** Exit status when a command ends with this code. */
  readonly exit: number;
  readonly side: Side;
  readonly retry: RetryRule;
  /** One sentence for the client: what happened, without any inner address. */
  readonly summary: string;
  /** The next step for the person who reads it. */
  readonly fix: string;
}

/** Returns an entry. Without `exit` a command ends with 1; without `retry` nothing is sent again. */
export function entry(
  status: number,
  proxyStatus: string,
  side: Side,
  summary: string,
  fix: string,
  rest: { exit?: number; retry?: RetryRule } = {},
): CodeEntry {
  return { status, proxyStatus, side, summary, fix, exit: rest.exit ?? 1, retry: rest.retry ?? 'never' };
}
