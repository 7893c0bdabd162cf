/**
 * Decides whether a token's endpoint patterns cover a host.
 *
 * Pure. A pattern is `*` (any host), a host, or `*.` and a name (exactly one label more). A host is a name or an address;
 * an IPv6 one stands in brackets, in any of its spellings.
 */
import { isIPv6 } from 'node:net';

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** RFC 1035 section 2.3.4: a name has at most 255 octets, which is 253 characters. */
const maxHostLength = 253;

/** Tells whether a text is a pattern. Names outside ASCII are written in their `xn--` form. */
export function isEndpointPattern(pattern: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? isName(normalize(pattern.slice(2))) : isHost(normalize(pattern));
}

/**
 * Tells whether at least one pattern covers `host`, without regard to case or a final dot.
 *
 * @param host A host without a port. Anything that is no host name is covered by no pattern, not even by `*`.
 */
export function endpointAllowed(patterns: readonly string[], host: string): boolean {
  const name = normalize(host);
  if (!isHost(name)) return false;
  const parent = name.slice(name.indexOf('.'));
  return patterns.map(normalize).some((pattern) => {
    if (pattern === '*') return true;
    if (pattern.startsWith('*.')) return isName(name) && name.includes('.') && parent === pattern.slice(1);
    return name === pattern;
  });
}

function normalize(host: string): string {
  const lower = host.toLowerCase();
  if (isIpv6Literal(lower)) return new URL(`http://${lower}`).hostname;
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function isHost(host: string): boolean {
  return isName(host) || isIpv6Literal(host);
}

/** Tells whether a host is an IPv6 address in brackets, without a zone, which would mean something on one machine only. */
function isIpv6Literal(host: string): boolean {
  return host.startsWith('[') && host.endsWith(']') && !host.includes('%') && isIPv6(host.slice(1, -1));
}

function isName(host: string): boolean {
  return host.length <= maxHostLength && host.split('.').every((part) => label.test(part));
}
