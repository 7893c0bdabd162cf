/**
 * Which fields may stand in a trailer section, whichever version of HTTP it came in.
 */
import type { FieldLine } from './field-line.ts';

// Fields that frame, route or belong to one connection: merged into a head they would change what it means.
const forbiddenTrailers = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/**
 * Says whether a field may stand in a trailer section.
 *
 * @see RFC 9110 section 6.5.1 (Limitations on Use of Trailers)
 */
export function isAllowedTrailer(field: FieldLine): boolean {
  const name = field[0].toLowerCase().replaceAll('_', '-');
  return !forbiddenTrailers.has(name) && !name.startsWith('x-forwarded-');
}
