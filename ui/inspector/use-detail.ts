/** Fetches the details of the chosen exchange, again for as long as there is something new about it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExchangeDetail, ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';

/** Time between looks whether there is something new, in milliseconds. */
const lookMs = 250;

/** Returns the details; those of before while newer ones come, none of another exchange. */
export function useDetail(
  api: Api,
  summary: ExchangeSummary | undefined,
  showsSecrets: boolean,
): ExchangeDetail | undefined {
  const [detail, setDetail] = useState<ExchangeDetail | undefined>(undefined);
  const { id, revision = 0 } = summary ?? {};
  const latest = useRef(revision);
  latest.current = revision;
  useEffect(() => {
    if (id === undefined) return undefined;
    const end = new AbortController();
    let known = -1;
    let isFetching = false;
    const path = `/api/v1/requests/${id}${showsSecrets ? '?secrets=show' : ''}`;
    // What is being fetched is waited for: a busy exchange must not keep the page from ever seeing it.
    const look = (): void => {
      if (isFetching || latest.current <= known) return;
      isFetching = true;
      const wanted = latest.current;
      api
        .get<ExchangeDetail>(path, end.signal)
        .then(
          (fetched) => {
            known = wanted;
            setDetail(fetched);
          },
          // The list says that the agent does not answer, and no longer holds what is dropped.
          () => undefined,
        )
        .finally(() => {
          isFetching = false;
        });
    };
    look();
    const timer = setInterval(look, lookMs);
    return () => {
      clearInterval(timer);
      end.abort();
    };
  }, [api, id, showsSecrets]);
  return detail?.id === id ? detail : undefined;
}
