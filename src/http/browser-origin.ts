/**
 * Origins of browsers, as the field Origin names them: which patterns there are, and which requests come from a page of
 * somebody else.
 *
 * @see RFC 6454 section 7 (The HTTP Origin Header Field), Fetch Standard (CORS protocol)
 */
import { type FieldLines, fieldValues } from './field-line.ts';

const longestPattern = 300;
const originPattern = /^[a-z][a-z0-9+.-]*:\/\/(\*\.)?([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/;

/**
 * Says whether a text is an origin pattern: `*`, `null`, an origin (`https://app.example.com`, with a port when it is not
 * the scheme's own), or one with `*.` for any subdomain (`https://*.example.com`).
 */
export function isOriginPattern(text: string): boolean {
  if (text === '*' || text === 'null') return true;
  return text.length <= longestPattern && originPattern.test(text.toLowerCase());
}

/** Returns a test for values of Origin. @param patterns Each passed {@link isOriginPattern}. */
export function createOriginTest(patterns: readonly string[]): (origin: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const exact = new Set<string>();
  const suffixes: { readonly scheme: string; readonly rest: string }[] = [];
  for (const pattern of patterns.map(normalOrigin)) {
    const [scheme = '', rest = ''] = pattern.split('://*', 2);
    if (pattern.includes('://*.')) suffixes.push({ scheme: `${scheme}://`, rest });
    else exact.add(pattern);
  }
  return (origin) => {
    const normal = normalOrigin(origin);
    return exact.has(normal) || suffixes.some(({ scheme, rest }) => isSubdomainOf(normal, scheme, rest));
  };
}

/** What the field Origin says about a request. */
export type BrowserOrigin =
  /** No Origin: not a browser's cross-origin request, or no browser at all. */
  | { readonly kind: 'none' }
  /** The page is from the endpoint itself. */
  | { readonly kind: 'same'; readonly origin: string }
  /** The page is from elsewhere, or hides where it is from (`null`). */
  | { readonly kind: 'other'; readonly origin: string };

/** Tells where the page behind a request is from. Several Origin lines are one origin that nobody has. */
export function browserOrigin(fields: FieldLines): BrowserOrigin {
  const origins = fieldValues(fields, 'origin');
  if (origins.length === 0) return { kind: 'none' };
  const origin = origins.join(', ');
  const [host = ''] = fieldValues(fields, 'host');
  const at = origin.indexOf('://');
  const isSame = at !== -1 && withoutDefaultPort(origin.slice(at + 3)) === withoutDefaultPort(host);
  return { kind: isSame ? 'same' : 'other', origin };
}

/** Says whether a request asks, on behalf of a page, what it may send (Fetch Standard, CORS-preflight request). */
export function isPreflight(method: string, fields: FieldLines): boolean {
  return method === 'OPTIONS' && fieldValues(fields, 'access-control-request-method').length > 0;
}

/** Lower case, and without the port that its scheme has anyway. */
function normalOrigin(origin: string): string {
  const lower = origin.toLowerCase();
  if (lower.startsWith('https://')) return lower.replace(/:443$/, '');
  return lower.startsWith('http://') ? lower.replace(/:80$/, '') : lower;
}

/** A front proxy ends TLS, so that only the browser knows the scheme: either default port is as good as none. */
function withoutDefaultPort(authority: string): string {
  return authority.toLowerCase().replace(/:(?:80|443)$/, '');
}

function isSubdomainOf(origin: string, scheme: string, rest: string): boolean {
  if (!origin.startsWith(scheme) || !origin.endsWith(rest)) return false;
  return /^[a-z0-9_.-]+$/.test(origin.slice(scheme.length, origin.length - rest.length));
}
