/**
 * The one error class. What a code means stands in the table in codes.ts; an
 * error adds only what is particular to this case.
 */
import type { CodeEntry } from './code-entry.ts';
import { codes, type ErrorCode } from './codes.ts';

/** What an error may bring along. */
export interface GiraffeErrorOptions extends ErrorOptions {
  /** Further field lines of the response that a client gets, such as WWW-Authenticate. Default none. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** The next step where more is known of this case than the table says of its code. Default what the table says. */
  readonly fix?: string | undefined;
}

/** An expected failure with a code. Callers match `code`, never the message or the class. */
export class GiraffeError extends Error {
  override readonly name: string = 'GiraffeError';
  readonly code: ErrorCode;
  /** Further field lines of the response that a client gets. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The next step, for people at a terminal. A client gets what the table says. */
  readonly fix: string;

  /**
   * @param detail What was seen, for logs and for people at a terminal. Never sent to a client,
   *   except for GIR_ERR_REQUEST_INVALID, where it is about the client's own request.
   */
  constructor(code: ErrorCode, detail?: string, options?: GiraffeErrorOptions) {
    super(detail ?? codes[code].summary, options);
    this.code = code;
    this.fields = options?.fields ?? [];
    this.fix = options?.fix ?? codes[code].fix;
  }

  /** What the table says about this error's code. */
  get entry(): CodeEntry {
    return codes[this.code];
  }

  /** Returns `value` itself when it is a GiraffeError, otherwise a new one with `fallback` and `value` as its cause. */
  static from(value: unknown, fallback: ErrorCode = 'GIR_ERR_INTERNAL'): GiraffeError {
    if (value instanceof GiraffeError) return value;
    const detail = value instanceof Error ? value.message : String(value);
    return new GiraffeError(fallback, detail, { cause: value });
  }
}
