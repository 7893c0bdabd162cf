/** Keeps the list of exchanges as the agent tells it, the latest first. */
import { useEffect, useState } from 'preact/hooks';
import type { ExchangeListEvent, ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';
import { listen } from '../parts/event-stream.ts';
import { applyEvent } from './list-event.ts';

/** The list, and whether it is true now. */
export interface LiveList {
  readonly exchanges: readonly ExchangeSummary[];
  /** Undefined before the first word of the agent. */
  readonly isOpen: boolean | undefined;
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
