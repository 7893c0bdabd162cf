/**
 * HTTP messages as giraffe carries them: heads, and how a body is delimited.
 */
import type { FieldLines } from './field-line.ts';

/**
 * How a message body is delimited (RFC 9112 section 6). Absent, empty and
 * empty-but-chunked are three different messages and stay so end to end.
 * `until-close` exists in responses only.
 */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly lengthBytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

/** A request head. `fields` holds every line, framing fields included, until it is prepared for forwarding. */
export interface RequestHead {
  readonly method: string;
  /** Request target as on the request line: origin-form, or `*`. */
  readonly target: string;
  /** Minor version of HTTP/1: 0 or 1. */
  readonly minorVersion: 0 | 1;
  readonly fields: FieldLines;
  readonly body: BodyFraming;
}

/** A response head. */
export interface ResponseHead {
  readonly status: number;
  /** Reason phrase, possibly empty. */
  readonly reason: string;
  readonly minorVersion: 0 | 1;
  readonly fields: FieldLines;
  readonly body: BodyFraming;
}

/**
 * Says whether the answer to a method with a status has no body, whatever its fields say.
 *
 * @see RFC 9112 section 6.3 (Message Body Length)
 */
export function isBodyless(method: string, status: number): boolean {
  return status < 200 || status === 204 || status === 304 || method === 'HEAD';
}

/** Says whether no octet of a body follows a head. */
export function isBodyEmpty({ body }: RequestHead | ResponseHead): boolean {
  return body.kind === 'none' || (body.kind === 'length' && body.lengthBytes === 0);
}

/** Says whether a method may be repeated without further effect (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method);
}

// RFC 9110 section 9.2.2, and the WebDAV methods that RFC 4918 and RFC 3253 define as idempotent.
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PROPFIND', 'REPORT', 'SEARCH']);
