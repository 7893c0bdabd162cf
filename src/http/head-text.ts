/**
 * Writes heads and chunk framing for the wire.
 *
 * Checks nothing: heads come from a parser or have passed field-validation.ts. All text is latin1.
 */
import type { FieldLines } from './field-line.ts';
import type { BodyFraming, RequestHead, ResponseHead } from './message.ts';

/**
 * Returns a request head up to and with its empty line.
 *
 * Besides the given fields, which hold no Transfer-Encoding, it writes only that line for a chunked body and
 * Connection. The version is always HTTP/1.1, which is giraffe's own whatever the client speaks (RFC 9110 section 2.5,
 * Protocol Version).
 *
 * @param connection Value of Connection; undefined for no such line.
 */
export function requestHeadText(head: RequestHead, connection: string | undefined): string {
  const start = `${head.method} ${head.target} HTTP/1.1\r\n`;
  return start + fieldText(head.fields) + hopText(head.body, connection);
}

/**
 * Returns a response head up to and with its empty line, as {@link requestHeadText} does. The version is always
 * HTTP/1.1, which is giraffe's own whatever the origin speaks (RFC 9110 section 2.5, Protocol Version).
 */
export function responseHeadText(head: ResponseHead, connection: string | undefined): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${fieldText(head.fields)}${hopText(head.body, connection)}`;
}

/** Returns the line before chunk data of `bytes` octets, at least 1. Data is followed by CRLF. */
export function chunkHeader(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

/** Returns the last chunk and the trailer section, the end of a chunked body. */
export function lastChunkText(trailers: FieldLines): string {
  return `0\r\n${fieldText(trailers)}\r\n`;
}

function fieldText(fields: FieldLines): string {
  let text = '';
  for (const field of fields) text += `${field[0]}: ${field[1]}\r\n`;
  return text;
}

function hopText(body: BodyFraming, connection: string | undefined): string {
  const framing = body.kind === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '';
  return connection === undefined ? `${framing}\r\n` : `${framing}Connection: ${connection}\r\n\r\n`;
}
