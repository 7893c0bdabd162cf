/** Keeps the list of exchanges as the agent tells it, the latest first. */
import { useEffect, useState } from 'preact/hooks';
import type { ExchangeListEvent, ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';
import { listen } from '../parts/event-stream.ts';

/** The list, and whether it is true now. */
export interface LiveList {
  readonly exchanges: readonly ExchangeSummary[];
  /** Undefined before the first word of the agent. */
  readonly isOpen: boolean | undefined;
}

/** Returns a list with an event taken into it. Ids end with a number that counts up. */
export function applyEvent(list: readonly ExchangeSummary[], event: ExchangeListEvent): readonly ExchangeSummary[] {
  const known = new Map(event.isWhole ? [] : list.map((exchange) => [exchange.id, exchange]));
  for (const exchange of event.changed) known.set(exchange.id, exchange);
  for (const id of event.dropped) known.delete(id);
  return [...known.values()].sort((a, b) => numberOf(b) - numberOf(a));
}

/** Listens for as long as the page is there. */
export function useLiveList(api: Api): LiveList {
  const [exchanges, setExchanges] = useState<readonly ExchangeSummary[]>([]);
  const [isOpen, setOpen] = useState<boolean | undefined>(undefined);
  useEffect(() => {
    const end = new AbortController();
    const listener = {
      onEvent: ({ data }: { data: unknown }) => setExchanges((list) => applyEvent(list, data as ExchangeListEvent)),
      onState: setOpen,
    };
    void listen(api, '/api/v1/requests/events', listener, end.signal);
    return () => end.abort();
  }, [api]);
  return { exchanges, isOpen };
}

function numberOf({ id }: ExchangeSummary): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}
