/**
 * Finds the address of the client itself behind proxies that are trusted.
 */
import { isIP } from 'node:net';
import { type FieldLines, fieldValues } from '../../http/field-line.ts';
import { plainAddress } from '../../http/forwarded.ts';

/**
 * Returns the address that a limit is about: that of the socket, or when a trusted proxy is there, the last one in
 * X-Forwarded-For that is no trusted proxy itself. What stands in front of it anybody may have written.
 *
 * @param peer Address of the socket's other end.
 */
export function clientAddress(fields: FieldLines, peer: string, isTrusted: (address: string) => boolean): string {
  let address = peer;
  const hops = fieldValues(fields, 'x-forwarded-for').join(',').split(',');
  while (isTrusted(address)) {
    const hop = hops.pop();
    if (hop === undefined) return address;
    const named = hopAddress(hop.trim());
    // A proxy that hides or garbles where it got the request from is the last one we know.
    if (named === undefined) return address;
    address = named;
  }
  return address;
}

/** Some proxies write the port as well: `192.0.2.7:1234`, `[2001:db8::7]:1234`. */
function hopAddress(hop: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::[0-9]+)?$/.exec(hop)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(hop)?.[1] ?? hop;
  return isIP(bare) === 0 ? undefined : plainAddress(bare);
}
