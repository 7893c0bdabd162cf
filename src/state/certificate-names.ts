/**
 * Which names a server certificate is made for, and how they read in one.
 *
 * Pure: the caller says what the machine is called.
 */
import { isIP, isIPv4 } from 'node:net';

/** A certificate of ours carries at most this many names. */
const maxNames = 100;
const dnsName = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** One subject alternative name (RFC 5280 section 4.2.1.6). */
export interface CertificateName {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

/**
 * Returns the names the edge's own certificate should cover: loopback, the base domain and one label below
 * it, the machine's host name and its addresses. Without repetitions, and without what no certificate can hold.
 *
 * @param about.baseDomain The domain below which tunnels get their names, such as `localhost`.
 * @param about.hostname What the machine calls itself.
 * @param about.addresses IPv4 and IPv6 addresses of the machine; those with a zone are left out.
 */
export function defaultCertificateNames(about: {
  readonly baseDomain: string;
  readonly hostname: string;
  readonly addresses: readonly string[];
}): string[] {
  const base = ['localhost', '*.localhost', '127.0.0.1', '::1'];
  const domain = isIP(about.baseDomain) === 0 ? [about.baseDomain, `*.${about.baseDomain}`] : [about.baseDomain];
  const names = [...base, ...domain, about.hostname, ...about.addresses].map((name) => parseCertificateName(name));
  const values = names.flatMap((name) => (name === undefined ? [] : [name.value]));
  return [...new Set(values)].slice(0, maxNames);
}

/** Returns a name in canonical form, lower case and with IPv6 written the short way; undefined when no certificate can hold it. */
export function parseCertificateName(name: string): CertificateName | undefined {
  const lower = name.toLowerCase();
  if (isIPv4(lower)) return { type: 'ip', value: lower };
  if (isIP(lower) === 6 && !lower.includes('%'))
    return { type: 'ip', value: new URL(`http://[${lower}]/`).hostname.slice(1, -1) };
  const value = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return value.length <= 253 && dnsName.test(value) ? { type: 'dns', value } : undefined;
}
