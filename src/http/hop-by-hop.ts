/**
 * Decides which field lines may cross giraffe.
 *
 * Pure: no sockets, no clock. Both directions use it, for requests and for responses; the rule lives only here.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type FieldLine, type FieldLines, isNamed, listMembers } from './field-line.ts';
import { FieldNames } from './field-names.ts';
import type { ResponseHead } from './message.ts';

/** Upper bound on the options that Connection lists, a count. */
const defaultMaxOptions = 16;

/** Raised when `Connection` lists more options than giraffe is willing to honour. */
class TooManyConnectionOptionsError extends GiraffeError {
  override readonly name = 'TooManyConnectionOptionsError';
  /** How many options the sender listed. */
  readonly count: number;

  constructor(code: ErrorCode, count: number, limit: number) {
    super(code, `Connection lists ${count} options; at most ${limit} are allowed`);
    this.count = count;
  }
}

// RFC 9110 section 7.6.1 names these as hop-by-hop even when Connection does not list them. HTTP2-Settings belongs to
// the h2c upgrade (RFC 7540 section 3.2.1), which giraffe never passes on.
const alwaysHopByHop = new FieldNames([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

// Options that name no further field: `close` none at all, and what no sender may call hop-by-hop, since without it the
// message means something else to the next recipient.
const withoutEffect = new FieldNames([
  'close',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'host',
  'set-cookie',
  'trailer',
  'via',
]);

/**
 * Returns the field lines that may be forwarded, in their original order.
 *
 * Drops the fixed hop-by-hop fields and every field that `Connection` lists. Options that name an essential
 * end-to-end field, such as `Connection: host`, are ignored and the field stays: RFC 9110 forbids to send them, and to
 * honour them would let a client strip what the origin relies on. The caller adds `Connection` for its own hop.
 *
 * @param fields Field lines of one header section.
 * @param maxOptions Upper bound on connection options, a count. Default 16.
 * @param code Whose fault it is when there are more. Default GIR_ERR_REQUEST_INVALID.
 * @param kept A field that stays although it is hop-by-hop, in lower case.
 * @throws {TooManyConnectionOptionsError} When `Connection` lists more than `maxOptions`.
 * @see RFC 9110 section 7.6.1 (Connection)
 */
export function forwardableFields(
  fields: FieldLines,
  maxOptions = defaultMaxOptions,
  code: ErrorCode = 'GIR_ERR_REQUEST_INVALID',
  kept?: string,
): FieldLine[] {
  const listed = listedFields(fields, maxOptions, code);
  return fields.filter(([name]) => !isHopByHop(name, listed) || (kept !== undefined && isNamed(name, kept)));
}

/**
 * Returns the field lines of an answer that may be forwarded. Upgrade is among them where it is meant for the client:
 * in a 101, which says what was chosen, and in a 426, which says what to ask for. Content-Length is not in a 1xx or a 204:
 * it may not be there, and some clients would take the next answer for the body that it announces.
 *
 * @throws {TooManyConnectionOptionsError} GIR_ERR_ORIGIN_PROTOCOL for more than 16 connection options.
 * @see RFC 9110 sections 8.6 (Content-Length), 15.2.2 (101 Switching Protocols) and 15.5.22 (426 Upgrade Required)
 */
export function forwardableResponseFields({ status, fields }: ResponseHead): FieldLine[] {
  const kept = status === 101 || status === 426 ? 'upgrade' : undefined;
  const forwardable = forwardableFields(fields, undefined, 'GIR_ERR_ORIGIN_PROTOCOL', kept);
  if (status >= 200 && status !== 204) return forwardable;
  return forwardable.filter(([name]) => !isNamed(name, 'content-length'));
}

/**
 * Returns the fields that `Connection` makes hop-by-hop, beside those that always are; in lower case.
 *
 * @throws {TooManyConnectionOptionsError} When it lists more than `maxOptions` options, a count.
 */
export function listedFields(
  fields: FieldLines,
  maxOptions = defaultMaxOptions,
  code: ErrorCode = 'GIR_ERR_REQUEST_INVALID',
): readonly string[] {
  const options = listMembers(fields, 'connection');
  if (maxOptions < options.length) throw new TooManyConnectionOptionsError(code, options.length, maxOptions);
  return options.filter((option) => !alwaysHopByHop.has(option) && !withoutEffect.has(option));
}

/** Says whether a field ends at this hop, given what {@link listedFields} returns for its message. */
export function isHopByHop(name: string, listed: readonly string[]): boolean {
  return alwaysHopByHop.has(name) || (listed.length > 0 && listed.includes(name.toLowerCase()));
}
