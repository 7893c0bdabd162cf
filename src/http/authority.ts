/**
 * Authorities, that is a host and perhaps a port, in the one spelling that routes are looked up by.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { fieldValues } from './field-line.ts';
import type { RequestHead } from './message.ts';

/** A host, normalised, and the port if one was written. */
export interface Authority {
  /** Lower case, without a trailing dot; an IPv6 literal keeps its brackets. */
  readonly host: string;
  /** 1 to 65535; undefined when none was given. */
  readonly port: number | undefined;
}

// Letters, digits, `-` and `_` in labels; other reg-name characters of RFC 3986 occur in no DNS name and invite confusion.
const authorityPattern = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*\.?)(?::([0-9]*))?$/;
const maxHostBytes = 255;

/**
 * Parses `host [":" port]`.
 *
 * @throws GIR_ERR_REQUEST_INVALID for userinfo, an empty host or label, other characters, or a port outside 1 to 65535.
 * @see RFC 9110 section 7.2 (Host and :authority)
 */
export function parseAuthority(text: string): Authority {
  const match = authorityPattern.exec(text);
  const written = match?.[1];
  if (match === null || written === undefined || maxHostBytes < written.length) {
    throw invalid('an authority that is not a host name or address with an optional port');
  }
  if (written.startsWith('[') && !isIpv6(written.slice(1, -1))) throw invalid('an IPv6 literal that is no address');
  const host = written.endsWith('.') ? written.slice(0, -1) : written;
  return { host: host.toLowerCase(), port: parsePort(match[2]) };
}

/**
 * Returns the normalised host, without port, that a request is for; undefined when it has no Host.
 *
 * @throws GIR_ERR_REQUEST_INVALID when Host is not an authority, which a parsed head never has.
 */
export function requestHost(head: RequestHead): string | undefined {
  const [value] = fieldValues(head.fields, 'host');
  return value === undefined ? undefined : parseAuthority(value).host;
}

function parsePort(digits: string | undefined): number | undefined {
  // RFC 3986 section 3.2.3 (Port) allows `host:` and means the default port.
  if (digits === undefined || digits === '') return undefined;
  const port = Number(digits);
  if (port < 1 || 65535 < port) throw invalid('a port outside 1 to 65535');
  return port;
}

/** Checks an IPv6 address as in RFC 4291 section 2.2, without a zone. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (2 < halves.length) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const endsInIpv4 = last !== undefined && text.endsWith(last) && isIpv4(last);
  const hexGroups = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hexGroups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  const count = hexGroups.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256);
}

function invalid(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_REQUEST_INVALID', rule);
}
