/**
 * Decides which exchanges a search shows. Pure.
 *
 * Words are all to be found in method, path, status, code, host or type; `method:`, `status:`, `host:`, `type:` and
 * `path:` look in one place, `status:4xx` means a class, and `-` in front means not. An exchange that failed before its
 * answer has the status that the edge answers for it.
 */
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';

/** Kinds of exchanges that a button shows alone. */
export const kinds = [
  { name: 'all', label: 'All' },
  { name: 'errors', label: 'Errors' },
  { name: 'websockets', label: 'WebSocket' },
  { name: 'live', label: 'Open' },
] as const;

/** One of {@link kinds}. */
export type Kind = (typeof kinds)[number]['name'];

/** Whether an exchange failed, or was answered with an error. */
function isFailed({ status, code }: ExchangeSummary): boolean {
  return (code !== undefined && code !== 'GIR_ERR_CANCELLED') || (status ?? 0) >= 400;
}

/** Returns those that match. */
export function filtered(
  exchanges: readonly ExchangeSummary[],
  search: string,
  kind: Kind,
): readonly ExchangeSummary[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '-');
  return exchanges.filter((exchange) => isOfKind(exchange, kind) && words.every((word) => matches(exchange, word)));
}

function isOfKind(exchange: ExchangeSummary, kind: Kind): boolean {
  switch (kind) {
    case 'all':
      return true;
    case 'errors':
      return isFailed(exchange);
    case 'websockets':
      return exchange.protocol !== undefined;
    case 'live':
      return exchange.isLive;
  }
}

function matches(exchange: ExchangeSummary, word: string): boolean {
  if (word.startsWith('-')) return !matches(exchange, word.slice(1));
  const { method, path, status, failureStatus, code, endpoint, contentType } = exchange;
  const places: Record<string, string> = {
    method,
    path,
    status: `${status ?? failureStatus ?? ''}`,
    host: endpoint,
    type: contentType ?? '',
    code: code ?? '',
  };
  const at = word.indexOf(':');
  const place = at === -1 ? undefined : Object.entries(places).find(([name]) => name === word.slice(0, at))?.[1];
  if (place === undefined) return Object.values(places).some((text) => text.toLowerCase().includes(word));
  const wanted = word.slice(at + 1);
  if (/^[1-5]xx$/.test(wanted)) return place.startsWith(wanted.slice(0, 1)) && place.length === 3;
  return place.toLowerCase().includes(wanted);
}
