/**
 * The private service behind a tunnel: where the agent connects, and nowhere else.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Where an origin listens. */
export type Target =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: boolean }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * Parses a TARGET: a port, `host:port`, an `http(s)://` URL without path, or `unix:/path`.
 * @throws {GiraffeError} GIR_ERR_USAGE with what is accepted.
 */
export function parseTarget(text: string): Target {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/') || path.includes('\0')) throw invalid(text);
    return { kind: 'unix', path };
  }
  if (/^[0-9]+$/.test(text)) return { kind: 'tcp', host: 'localhost', port: validPort(text, text), tls: false };
  if (/^https?:\/\//i.test(text)) return targetFromUrl(text);
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]+)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) throw invalid(text);
  return { kind: 'tcp', host: unbracketed(match[1]), port: validPort(match[2], text), tls: false };
}

/** Writes a target the way it can be given, for messages and logs. */
export function targetText(target: Target): string {
  if (target.kind === 'unix') return `unix:${target.path}`;
  return `${target.tls ? 'https' : 'http'}://${targetAuthority(target)}`;
}

/** The authority a client of the target itself would use in Host. */
export function targetAuthority(target: Target): string {
  if (target.kind === 'unix') return 'localhost';
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return target.port === (target.tls ? 443 : 80) ? host : `${host}:${target.port}`;
}

function targetFromUrl(text: string): Target {
  if (!URL.canParse(text)) throw invalid(text);
  const url = new URL(text);
  const hasMore =
    url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '';
  if (hasMore) throw invalid(text);
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : validPort(url.port, text);
  return { kind: 'tcp', host: unbracketed(url.hostname), port, tls };
}

function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function validPort(port: string, text: string): number {
  const number = Number(port);
  if (number < 1 || number > 65535) throw invalid(text);
  return number;
}

function invalid(text: string): GiraffeError {
  return new GiraffeError(
    'GIR_ERR_USAGE',
    `"${text}" is not a target: give a port (3000), host:port, http://host:port, https://host:port or unix:/path`,
  );
}
