/**
 * Which hosts are this machine, whatever its network: the addresses of loopback, and the names that stand for them.
 */
import { isIP } from 'node:net';

/** Says whether a name is localhost or below it (RFC 6761 section 6.3), in any case. Not every system resolves those below. */
export function isLoopbackName(name: string): boolean {
  return /(?:^|\.)localhost\.?$/i.test(name);
}

/** Says whether a host is an address of loopback: in 127.0.0.0/8, or ::1, in brackets or without. */
export function isLoopbackAddress(host: string): boolean {
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1' || host === '[::1]';
}
