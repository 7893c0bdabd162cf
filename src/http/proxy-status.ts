/**
 * Writes Proxy-Status, by which a client can tell giraffe's own failures from answers of the origin.
 */
import { codes, type ErrorCode } from '../errors/codes.ts';

/**
 * Returns the value of Proxy-Status for a failure. It never has `details`, which could name inner addresses.
 *
 * @see RFC 9209 section 2 (The Proxy-Status HTTP Field)
 */
export function proxyStatusValue(code: ErrorCode): string {
  return `giraffe; error=${codes[code].proxyStatus}`;
}
