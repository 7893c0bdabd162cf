/**
 * Authorities, that is a host and perhaps a port, in the one spelling that routes are looked up by.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { fieldValues } from './field-line.ts';
import type { RequestHead } from './message.ts';

/** A host, normalised, and the port if one was written. */
export interface Authority {
  /** Lower case, without a trailing dot; an IPv6 literal in brackets and in its shortest form. */
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
  if (written.startsWith('[')) return { host: canonicalIpv6(written), port: parsePort(match[2]) };
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

/** Returns the one spelling of an IPv6 literal that the URL standard gives it: `[0:0::1]` is `[::1]`. */
function canonicalIpv6(literal: string): string {
  if (!URL.canParse(`http://${literal}`)) throw invalid('an IPv6 literal that is no address');
  return new URL(`http://${literal}`).hostname;
}

function invalid(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_REQUEST_INVALID', rule);
}
