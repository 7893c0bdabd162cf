/**
 * Reads request heads of HTTP/2 into those of HTTP/1.1, as giraffe carries them, and writes answers for HTTP/2.
 *
 * Pure. What HTTP/2 itself forbids (RFC 9113 section 8.2 and 8.3: malformed names, fields of a connection, pseudo-header
 * fields out of place) has been refused before.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { parseAuthority } from './authority.ts';
import type { FieldLine, FieldLines } from './field-line.ts';
import { assertNoLookAlikes, parseFraming } from './framing.ts';
import { isHopByHop } from './hop-by-hop.ts';
import type { BodyFraming, RequestHead, ResponseHead } from './message.ts';
import { originFormTarget } from './request-target.ts';

/** Header fields as Node's HTTP/2 writes them: lower-case names, repeated lines as a list. */
export type Http2Fields = Record<string, string | string[]>;

/**
 * Returns the head of a request.
 *
 * @param rawHeaders Names and values in turn, in the order in which they came.
 * @param isEnd Whether nothing follows the head.
 * @throws {GiraffeError} GIR_ERR_REQUEST_INVALID; GIR_ERR_METHOD_UNSUPPORTED for CONNECT.
 * @see RFC 9113 section 8.3.1 (Request Pseudo-Header Fields)
 */
export function requestFromHttp2(rawHeaders: readonly string[], isEnd: boolean): RequestHead {
  const pseudo = new Map<string, string>();
  const fields: FieldLine[] = [];
  const crumbs: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (name.startsWith(':')) pseudo.set(name, value);
    else if (name === 'cookie') crumbs.push(value);
    else fields.push([name, value]);
  }
  const method = pseudo.get(':method') ?? '';
  if (method === 'CONNECT') throw new GiraffeError('GIR_ERR_METHOD_UNSUPPORTED');
  // Crumbs of one Cookie field become one line again (RFC 9113 section 8.2.3).
  if (crumbs.length > 0) fields.push(['cookie', crumbs.join('; ')]);
  const host = hostOf(pseudo.get(':authority'), fields);
  const rest = fields.filter(([name]) => name !== 'host');
  assertNoLookAlikes(rest);
  const target = targetOf(method, pseudo.get(':path') ?? '', host);
  return { method, target, minorVersion: 1, fields: [['host', host], ...rest], body: bodyOf(rest, isEnd) };
}

/** Returns the fields of an answer, with `:status`. */
export function responseForHttp2(head: ResponseHead): Http2Fields {
  return { ':status': String(head.status), ...fieldsForHttp2(head.fields) };
}

/**
 * Returns the fields of an answer or of trailers. Those of a connection are left out (RFC 9113 section 8.2.2), such as the
 * Upgrade of a 426; of those that may stand only once, the first line counts.
 */
export function fieldsForHttp2(fields: FieldLines): Http2Fields {
  const written: Http2Fields = {};
  for (const [field, value] of fields) {
    const name = field.toLowerCase();
    if (isHopByHop(name, [])) continue;
    const former = Object.hasOwn(written, name) ? written[name] : undefined;
    if (former === undefined) define(written, name, value);
    else if (!singleFields.has(name)) define(written, name, [...(Array.isArray(former) ? former : [former]), value]);
  }
  return written;
}

/** As an own property whatever its name, `__proto__` too. */
function define(written: Http2Fields, name: string, value: string | string[]): void {
  Object.defineProperty(written, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Node refuses to send a second line of these. */
const singleFields = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age alt-svc authorization ' +
    'content-encoding content-language content-length content-location content-md5 content-range content-type date dnt ' +
    'etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location ' +
    'max-forwards proxy-authorization range referer retry-after server tk upgrade-insecure-requests user-agent ' +
    'x-content-type-options'
  ).split(' '),
);

function hostOf(authority: string | undefined, fields: FieldLines): string {
  const hosts = fields.filter(([name]) => name === 'host').map(([, value]) => value);
  if (hosts.length > 1) throw invalid('more than one Host line');
  const [host = authority] = hosts;
  if (host === undefined) throw invalid('neither :authority nor Host');
  if (authority !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    throw invalid('a Host that differs from :authority');
  }
  parseAuthority(host);
  return host;
}

function targetOf(method: string, path: string, host: string): string {
  const isPath = path.startsWith('/') || (path === '*' && method === 'OPTIONS');
  if (!isPath || /[\s#]/.test(path)) throw invalid('a :path that is no path');
  return originFormTarget(method, path, host);
}

function bodyOf(fields: FieldLines, isEnd: boolean): BodyFraming {
  const { lengthBytes } = parseFraming(fields, 1, 'GIR_ERR_REQUEST_INVALID');
  if (isEnd) return lengthBytes === undefined ? { kind: 'none' } : { kind: 'length', lengthBytes: 0 };
  return lengthBytes === undefined ? { kind: 'chunked' } : { kind: 'length', lengthBytes };
}

function invalid(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_REQUEST_INVALID', rule);
}
