/**
 * What Content-Length and Transfer-Encoding lines say about a body, read strictly: any doubt is an error, because
 * two parties that read a doubtful message differently are what request smuggling needs.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { decimal } from './decimal.ts';
import { type FieldLine, type FieldLines, isNamed } from './field-line.ts';

/** What the framing fields of one head say. Never both. */
export interface Framing {
  /** Octets, at most 2^53 - 1. */
  readonly lengthBytes: number | undefined;
  readonly isChunked: boolean;
}

const unframed: Framing = { lengthBytes: undefined, isChunked: false };
const chunkedFraming: Framing = { lengthBytes: undefined, isChunked: true };

/**
 * Reads the framing fields of a head.
 *
 * @throws `code` for two lines of one of them, for both together, for a Content-Length that is not one number of at
 *   most 2^53 - 1, for a Transfer-Encoding that is not exactly `chunked`, and for Transfer-Encoding in HTTP/1.0.
 * @see RFC 9112 section 6.3 (Message Body Length)
 */
export function parseFraming(fields: FieldLines, minorVersion: 0 | 1, code: ErrorCode): Framing {
  let length: string | undefined;
  let coding: string | undefined;
  for (const field of fields) {
    const name = field[0];
    if (isNamed(name, 'content-length')) {
      if (length !== undefined) throw new GiraffeError(code, 'more than one Content-Length line');
      length = field[1];
    } else if (isNamed(name, 'transfer-encoding')) {
      if (coding !== undefined) throw new GiraffeError(code, 'more than one Transfer-Encoding line');
      coding = field[1];
    }
  }
  if (coding === undefined) {
    return length === undefined ? unframed : { lengthBytes: parseContentLength(length, code), isChunked: false };
  }
  if (length !== undefined) throw new GiraffeError(code, 'both Transfer-Encoding and Content-Length');
  if (minorVersion === 0) throw new GiraffeError(code, 'Transfer-Encoding in an HTTP/1.0 message');
  if (coding.toLowerCase() !== 'chunked') throw new GiraffeError(code, 'a Transfer-Encoding other than chunked');
  return chunkedFraming;
}

/**
 * Reads one Content-Length value.
 *
 * @throws `code` unless it is digits only and at most 2^53 - 1.
 * @see RFC 9110 section 8.6 (Content-Length)
 */
function parseContentLength(text: string, code: ErrorCode): number {
  const bytes = decimal(text);
  if (Number.isNaN(bytes)) throw new GiraffeError(code, 'a Content-Length that is not one number');
  if (!Number.isSafeInteger(bytes)) throw new GiraffeError(code, 'a Content-Length above 2^53 - 1');
  return bytes;
}

/**
 * Refuses names that an origin with CGI-style variables would take for a framing field of a request.
 *
 * @throws {GiraffeError} GIR_ERR_REQUEST_INVALID.
 */
export function assertNoLookAlikes(fields: FieldLines): void {
  if (!fields.some(isLookAlike)) return;
  throw new GiraffeError(
    'GIR_ERR_REQUEST_INVALID',
    'a field name imitates Content-Length or Transfer-Encoding with "_"',
  );
}

function isLookAlike([name]: FieldLine): boolean {
  return isNamed(name, 'content_length') || isNamed(name, 'transfer_encoding');
}
