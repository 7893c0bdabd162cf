/**
 * Turns the request target of a request line into the form that giraffe carries: origin-form or `*`.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { parseAuthority } from './authority.ts';

/**
 * Returns the origin-form of a request target, `*` for OPTIONS of a whole server, or the target of CONNECT unchanged.
 *
 * @param host The checked value of Host, undefined in a HTTP/1.0 request without one.
 * @throws GIR_ERR_REQUEST_INVALID for another form, and for an absolute-form whose authority is not the one in Host.
 * @see RFC 9112 section 3.2 (Request Target)
 */
export function originFormTarget(method: string, target: string, host: string | undefined): string {
  if (target.startsWith('/') || method === 'CONNECT') return target;
  if (target === '*') {
    if (method !== 'OPTIONS') throw invalid('the target * is for OPTIONS only');
    return target;
  }
  return fromAbsoluteForm(method, target, host);
}

const absoluteForm = /^(https?):\/\/([^/?]*)(.*)$/i;
const defaultPorts = new Map([
  ['http', 80],
  ['https', 443],
]);

function fromAbsoluteForm(method: string, target: string, host: string | undefined): string {
  const [, scheme, authority, path] = absoluteForm.exec(target) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) {
    throw invalid('the request target is neither a path nor an http or https URI');
  }
  const defaultPort = defaultPorts.get(scheme.toLowerCase());
  if (host === undefined || authorityKey(authority, defaultPort) !== authorityKey(host, defaultPort)) {
    throw invalid('the authority of the request target is not the one in Host');
  }
  if (path === '') return method === 'OPTIONS' ? '*' : '/';
  return path.startsWith('/') ? path : `/${path}`;
}

/** Returns the same text for authorities that mean the same place. */
function authorityKey(text: string, defaultPort: number | undefined): string {
  const { host, port } = parseAuthority(text);
  return `${host}:${port ?? defaultPort}`;
}

function invalid(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_REQUEST_INVALID', rule);
}
