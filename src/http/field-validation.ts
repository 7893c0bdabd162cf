/**
 * Checks heads that come through the tunnel, before they are written to a socket: edge and agent do not trust each
 * other, and a head that means two things, or hides a line break, would split messages behind it.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type FieldLines, fieldValues } from './field-line.ts';
import { type Framing, parseFraming } from './framing.ts';
import { isToken } from './head-syntax.ts';
import { type BodyFraming, isBodyless, type RequestHead, type ResponseHead } from './message.ts';

/** What the edge knows about the exchange that a response head belongs to. */
export interface ResponseExpectation {
  /** Method of the request. Without it, a response without body may have any Content-Length, as one to HEAD has. */
  readonly method?: string | undefined;
  /** Whether a 101 is an answer to this request. Default false. */
  readonly isUpgrade?: boolean | undefined;
}

/**
 * Checks a response head from the agent, whose lines have been checked as they were decoded. It may still hold the
 * origin's own hop-by-hop lines: the caller removes them with forwardedResponse() before it writes the head.
 *
 * @throws GIR_ERR_PROTOCOL for a status outside 100 to 599 or an unexpected 101, and when `body`, the framing fields and
 *   the kind of answer contradict each other.
 */
export function assertForwardableResponseHead(head: ResponseHead, expected: ResponseExpectation = {}): void {
  const { status } = head;
  if (!Number.isInteger(status) || status < 100 || 599 < status) throw broken('a status outside 100 to 599');
  if (status === 101 && expected.isUpgrade !== true) throw broken('a 101 that was not asked for');
  const framing = parseFraming(head.fields, head.minorVersion, 'GIR_ERR_PROTOCOL');
  if (isBodyless(expected.method ?? '', status)) {
    if (head.body.kind !== 'none') throw broken('a body in an answer that has none');
  } else if (head.body.kind === 'none') {
    if (expected.method !== undefined) throw broken('an answer without body framing');
  } else {
    assertFraming(head.body, framing);
  }
}

/**
 * Checks a request head prepared for forwarding: no Transfer-Encoding line, framing in `body`. The lines of one from the
 * edge have been checked as they were decoded; those of any other one are for {@link assertFieldLines}.
 *
 * @throws GIR_ERR_PROTOCOL for a method that is no token, a target with spaces or control characters, more than one
 *   Host, and contradictory framing.
 */
export function assertForwardableRequestHead(head: RequestHead): void {
  if (!isToken(head.method)) throw broken('a method that is not a token');
  if (!forwardableTarget.test(head.target)) throw broken('a request target that is neither a path nor *');
  if (head.minorVersion !== 0 && head.minorVersion !== 1) throw broken('a version other than HTTP/1.0 and 1.1');
  if (1 < fieldValues(head.fields, 'host').length) throw broken('more than one Host line');
  if (head.body.kind === 'until-close') throw broken('a request body that ends with the connection');
  if (head.body.kind === 'chunked' && head.minorVersion === 0) throw broken('a chunked body in HTTP/1.0');
  const framing = parseFraming(head.fields, head.minorVersion, 'GIR_ERR_PROTOCOL');
  if (framing.isChunked) throw broken('a Transfer-Encoding line');
  assertFraming(head.body, framing);
}

/**
 * Checks a trailer section that came through the tunnel.
 *
 * @throws GIR_ERR_PROTOCOL for broken field lines, and for fields that frame a message.
 */
export function assertForwardableTrailers(trailers: FieldLines): void {
  assertFieldLines(trailers);
  const { lengthBytes, isChunked } = parseFraming(trailers, 1, 'GIR_ERR_PROTOCOL');
  if (isChunked || lengthBytes !== undefined) throw broken('a framing field in a trailer section');
}

// Characters above 0xff matter: writing latin1 would cut U+010A down to a line feed.
const notFieldText = /[^\t\x20-\x7e\x80-\xff]/;
const forwardableTarget = /^(?:\/[\x21-\x22\x24-\x7e\x80-\xff]*|\*)$/;

/**
 * Checks field lines that no parser and no codec has checked.
 *
 * @throws GIR_ERR_PROTOCOL for names that are no token, for characters outside latin1 and control characters.
 */
export function assertFieldLines(fields: FieldLines): void {
  for (const field of fields) {
    if (!isToken(field[0])) throw broken('a field name that is not a token');
    if (notFieldText.test(field[1])) throw broken('a field value with a control character');
  }
}

/** Checks that the framing fields say what `body` says; no Transfer-Encoding line is needed for a chunked one. */
function assertFraming(body: BodyFraming, { lengthBytes, isChunked }: Framing): void {
  const expected = body.kind === 'length' ? body.lengthBytes : undefined;
  if (lengthBytes !== expected || (isChunked && body.kind !== 'chunked')) {
    throw broken('framing fields that differ from the framing of the body');
  }
}

function broken(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_PROTOCOL', `the other end of the tunnel sent ${rule}`);
}
