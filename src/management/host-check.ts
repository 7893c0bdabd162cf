/**
 * Decides which Host a request to the API may carry.
 *
 * A page of a foreign name whose DNS answer was changed to 127.0.0.1 (DNS rebinding) sends that name: it is refused.
 */
import { isIP } from 'node:net';
import { parseAuthority } from '../http/authority.ts';

/** Returns a function that tells whether a Host is a loopback name, an IP address or one of `names`. */
export function createHostCheck(names: readonly string[]): (host: string | undefined) => boolean {
  const allowed = new Set(names.map((name) => name.toLowerCase()));
  return (host) => {
    const name = hostOf(host);
    if (name === undefined) return false;
    const isAddress = name.startsWith('[') || isIP(name) !== 0;
    return isAddress || name === 'localhost' || name.endsWith('.localhost') || allowed.has(name);
  };
}

function hostOf(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  try {
    return parseAuthority(host).host;
  } catch {
    return undefined;
  }
}
