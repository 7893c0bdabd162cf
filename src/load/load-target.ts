/** Reads the URL that a load goes to. Pure: names are resolved by whoever connects. */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Where requests go. */
export interface LoadTarget {
  /** As it can be shown, without user and password. */
  readonly url: string;
  readonly tls: boolean;
  /** Name or address to connect to, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Value of Host. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  /** Whether the URL itself asks for a WebSocket: ws:// or wss://. */
  readonly isWebSocket: boolean;
}

const schemes: Readonly<
  Record<string, { readonly tls: boolean; readonly port: number; readonly isWebSocket: boolean }>
> = {
  'http:': { tls: false, port: 80, isWebSocket: false },
  'https:': { tls: true, port: 443, isWebSocket: false },
  'ws:': { tls: false, port: 80, isWebSocket: true },
  'wss:': { tls: true, port: 443, isWebSocket: true },
};

/**
 * Parses a URL to load. Without a scheme, `host:port/path` is taken as http.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE with what is accepted.
 */
export function parseLoadTarget(text: string): LoadTarget {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(withScheme)) throw invalid('it is not a URL');
  const url = new URL(withScheme);
  const scheme = schemes[url.protocol];
  if (scheme === undefined) throw invalid(`the scheme ${url.protocol.slice(0, -1)} is not one of http, https, ws, wss`);
  if (url.hostname === '') throw invalid('it names no host');
  if (url.username !== '' || url.password !== '') {
    throw invalid("it holds a password, which others see in the process list; use --header '@FILE' with Authorization");
  }
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const { tls, port, isWebSocket } = scheme;
  return {
    url: `${url.protocol}//${url.host}${url.pathname}${url.search}`,
    tls,
    host,
    port: url.port === '' ? port : Number(url.port),
    authority: url.host,
    path: `${url.pathname}${url.search}`,
    isWebSocket,
  };
}

function invalid(why: string): GiraffeError {
  return new GiraffeError('GIR_ERR_USAGE', `the URL to load cannot be used: ${why}`);
}
