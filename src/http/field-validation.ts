/**
 * Checks heads that come through the tunnel, before they are written to a socket: edge and agent do not trust each
 * other, and a head that means two things, or hides a line break, would split messages behind it.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from './field-line.ts';
import { parseContentLength } from './framing.ts';
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
 * Checks a response head from the agent, prepared for forwarding: no Transfer-Encoding line, framing in `body`.
 *
 * @throws GIR_ERR_PROTOCOL for a status outside 100 to 599 or an unexpected 101, for names that are no token, for
 *   characters outside latin1 and control characters, and when `body` and Content-Length contradict each other or the
 *   kind of answer.
 */
export function assertForwardableResponseHead(head: ResponseHead, expected: ResponseExpectation = {}): void {
  const { status } = head;
  if (!Number.isInteger(status) || status < 100 || 599 < status) throw broken('a status outside 100 to 599');
  if (status === 101 && expected.isUpgrade !== true) throw broken('a 101 that was not asked for');
  if (notFieldText.test(head.reason)) throw broken('a reason phrase with a control character');
  const lengthBytes = assertFields(head.fields);
  if (isBodyless(expected.method ?? '', status)) {
    if (head.body.kind !== 'none') throw broken('a body in an answer that has none');
  } else if (head.body.kind === 'none') {
    if (expected.method !== undefined) throw broken('an answer without body framing');
  } else {
    assertLength(head.body, lengthBytes);
  }
}

/**
 * Checks a request head from the edge, prepared for forwarding: no Transfer-Encoding line, framing in `body`.
 *
 * @throws GIR_ERR_PROTOCOL for a method that is no token, a target with spaces or control characters, more than one
 *   Host, broken field lines as in {@link assertForwardableResponseHead}, and contradictory framing.
 */
export function assertForwardableRequestHead(head: RequestHead): void {
  if (!isToken(head.method)) throw broken('a method that is not a token');
  if (!forwardableTarget.test(head.target)) throw broken('a request target that is neither a path nor *');
  if (head.minorVersion !== 0 && head.minorVersion !== 1) throw broken('a version other than HTTP/1.0 and 1.1');
  const lengthBytes = assertFields(head.fields);
  if (head.body.kind === 'until-close') throw broken('a request body that ends with the connection');
  if (head.body.kind === 'chunked' && head.minorVersion === 0) throw broken('a chunked body in HTTP/1.0');
  assertLength(head.body, lengthBytes);
}

/**
 * Checks a trailer section that came through the tunnel.
 *
 * @throws GIR_ERR_PROTOCOL for broken field lines, and for fields that frame a message.
 */
export function assertForwardableTrailers(trailers: FieldLines): void {
  if (assertFields(trailers) !== undefined) throw broken('a Content-Length in a trailer section');
}

// Characters above 0xff matter: writing latin1 would cut U+010A down to a line feed.
const notFieldText = /[^\t\x20-\x7e\x80-\xff]/;
const forwardableTarget = /^(?:\/[\x21-\x22\x24-\x7e\x80-\xff]*|\*)$/;

/** Checks field lines, and returns what the one Content-Length says, if there is one. */
function assertFields(fields: FieldLines): number | undefined {
  let lengthBytes: number | undefined;
  let hasHost = false;
  for (const field of fields) {
    const name = field[0];
    const value = field[1];
    if (!isToken(name)) throw broken('a field name that is not a token');
    if (notFieldText.test(value)) throw broken('a field value with a control character');
    // Only names of these lengths can be one of the three.
    if (name.length !== 4 && name.length !== 14 && name.length !== 17) continue;
    const lowerName = name.toLowerCase();
    if (lowerName === 'transfer-encoding') throw broken('a Transfer-Encoding line');
    if (lowerName === 'content-length') {
      if (lengthBytes !== undefined) throw broken('more than one Content-Length line');
      lengthBytes = parseContentLength(value, 'GIR_ERR_PROTOCOL');
    } else if (lowerName === 'host') {
      if (hasHost) throw broken('more than one Host line');
      hasHost = true;
    }
  }
  return lengthBytes;
}

function assertLength(body: BodyFraming, lengthBytes: number | undefined): void {
  const expected = body.kind === 'length' ? body.lengthBytes : undefined;
  if (lengthBytes !== expected) throw broken('Content-Length and the framing of the body differ');
}

function broken(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_PROTOCOL', `the other end of the tunnel sent ${rule}`);
}
