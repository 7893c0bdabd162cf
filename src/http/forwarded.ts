/**
 * Writes the values of Forwarded: nodes, quoting, and lists; and addresses as people know them.
 *
 * @see RFC 7239 (Forwarded HTTP Extension)
 */
import { isToken } from './head-syntax.ts';

/** Returns an address as it is usually written: an IPv4-mapped IPv6 address as IPv4, and no zone. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  return mapped ?? address.replace(/%.*$/, '');
}

/** Names the other end of a connection for people: address and port, an IPv6 address in brackets. */
export function peerText(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return 'unknown';
  const plain = plainAddress(address);
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port ?? 0}`;
}

/** Returns the element for one hop. `host` is left out when the request had none. */
export function forwardedElement(address: string, host: string | undefined, scheme: string): string {
  const hostPair = host === undefined ? '' : `;host=${quotedIfNeeded(host)}`;
  return `for=${quotedIfNeeded(node(address))}${hostPair};proto=${quotedIfNeeded(scheme)}`;
}

/** Returns one value with the elements a trusted proxy sent, if any, and the edge's own behind them. */
export function appendedForwarded(earlier: readonly string[], own: string): string {
  return [...earlier.filter((value) => value !== ''), own].join(', ');
}

/**
 * Returns the elements that say the same as X-Forwarded-* of a proxy that sends no Forwarded. Without them the edge's
 * own element would be the first one, and name the proxy where origins look for the client.
 *
 * @see RFC 7239 section 7.4 (Transition)
 */
export function convertedForwarded(
  addresses: readonly string[],
  host: string | undefined,
  scheme: string,
): readonly string[] {
  const members = addresses.flatMap((value) => value.split(',')).map((member) => member.trim());
  return members
    .filter((member) => member !== '')
    .map((member, index) =>
      index === 0 ? forwardedElement(member, host, scheme) : `for=${quotedIfNeeded(node(member))}`,
    );
}

/** Returns the node for an address: a bare IPv6 address gets its brackets. */
function node(address: string): string {
  const isBareIpv6 = !address.startsWith('[') && 1 < address.split(':').length - 1;
  return isBareIpv6 ? `[${address}]` : address;
}

function quotedIfNeeded(value: string): string {
  return isToken(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
