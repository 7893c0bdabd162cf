/**
 * Reads the PROXY protocol header, version 1 (text) or 2 (binary), with which a load balancer tells whose connection it
 * passes on. Pure and strict: anything that is not exactly a header is invalid, and a header has a bound.
 *
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt sections 2.1 and 2.2
 */
import { isIPv4, isIPv6 } from 'node:net';

/** What a load balancer says about the client; undefined when it speaks for itself (LOCAL, UNKNOWN, a Unix socket). */
export type ProxiedClient =
  | { readonly address: string; readonly port: number; readonly scheme: 'http' | 'https' }
  | undefined;

/** What was found at the beginning of a connection. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly rule: string }
  /** `bytes`: octets of the header; what follows is the client's. */
  | { readonly kind: 'whole'; readonly bytes: number; readonly client: ProxiedClient };

/** The longest line of version 1, with its CRLF. */
const maxTextBytes = 107;
/** Octets of version 2 before the addresses. */
const fixedBytes = 16;
/** Addresses and further facts (certificates, for one) of version 2 that are accepted. */
const maxVariableBytes = 4096;
const textPrefix = Buffer.from('PROXY ', 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const incomplete: ProxyHeader = { kind: 'incomplete' };

/** Octets that a caller has to hold at most until it knows. */
export const maxProxyHeaderBytes = fixedBytes + maxVariableBytes;

/** Looks at what has arrived so far. */
export function parseProxyHeader(octets: Buffer): ProxyHeader {
  if (startsLike(octets, textPrefix)) return parseText(octets);
  if (startsLike(octets, signature)) return parseBinary(octets);
  return invalid('no PROXY protocol header');
}

/** Whether `octets` begins with `expected`, as far as it goes. */
function startsLike(octets: Buffer, expected: Buffer): boolean {
  const length = Math.min(octets.length, expected.length);
  return octets.subarray(0, length).equals(expected.subarray(0, length));
}

function parseText(octets: Buffer): ProxyHeader {
  const end = octets.subarray(0, maxTextBytes).indexOf('\r\n');
  if (end === -1) return octets.length >= maxTextBytes ? invalid('a line without an end') : incomplete;
  const line = octets.toString('latin1', 0, end);
  const bytes = end + 2;
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { kind: 'whole', bytes, client: undefined };
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  const port = portOf(sourcePort);
  const isValid = isAddress?.(source) === true && isAddress(destination) && !`${source}${destination}`.includes('%');
  if (!isValid || rest.length > 0 || port === undefined || portOf(destinationPort) === undefined) {
    return invalid('a line that does not name two addresses and two ports');
  }
  return { kind: 'whole', bytes, client: { address: source, port, scheme: 'http' } };
}

function parseBinary(octets: Buffer): ProxyHeader {
  if (octets.length < fixedBytes) return incomplete;
  const versionAndCommand = octets.readUInt8(12);
  const family = octets.readUInt8(13);
  const variableBytes = octets.readUInt16BE(14);
  if (versionAndCommand !== local && versionAndCommand !== proxied) return invalid('an unknown version or command');
  if (variableBytes > maxVariableBytes) return invalid(`more than ${maxVariableBytes} octets of addresses`);
  const bytes = fixedBytes + variableBytes;
  if (octets.length < bytes) return incomplete;
  if (versionAndCommand === local) return { kind: 'whole', bytes, client: undefined };
  const variable = octets.subarray(fixedBytes, bytes);
  if (family === tcp4) return variableBytes < 12 ? invalid('an address cut short') : whole(variable, 4, bytes);
  if (family === tcp6) return variableBytes < 36 ? invalid('an address cut short') : whole(variable, 16, bytes);
  if (family === unspecified || family === unixStream) return { kind: 'whole', bytes, client: undefined };
  return invalid('a family that is not TCP');
}

const local = 0x20;
const proxied = 0x21;
const unspecified = 0x00;
const tcp4 = 0x11;
const tcp6 = 0x21;
const unixStream = 0x31;

function whole(variable: Buffer, addressBytes: 4 | 16, bytes: number): ProxyHeader {
  const source = variable.subarray(0, addressBytes);
  const address = addressBytes === 4 ? source.join('.') : ipv6Text(source);
  const port = variable.readUInt16BE(addressBytes * 2);
  const scheme = cameOverTls(variable.subarray(addressBytes * 2 + 4)) ? 'https' : 'http';
  return { kind: 'whole', bytes, client: { address, port, scheme } };
}

function ipv6Text(octets: Buffer): string {
  if (octets.subarray(0, 12).equals(mappedPrefix)) return octets.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const mappedPrefix = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** Looks for the fact PP2_TYPE_SSL with PP2_CLIENT_SSL set. What is cut short says nothing. */
function cameOverTls(facts: Buffer): boolean {
  for (let at = 0; at + 3 <= facts.length; at += 3 + facts.readUInt16BE(at + 1)) {
    const isWhole = at + 3 + facts.readUInt16BE(at + 1) <= facts.length;
    if (facts[at] === 0x20 && isWhole && facts.readUInt16BE(at + 1) >= 5) return ((facts[at + 3] ?? 0) & 0x01) !== 0;
  }
  return false;
}

function portOf(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function invalid(rule: string): ProxyHeader {
  return { kind: 'invalid', rule };
}
