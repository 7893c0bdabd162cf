/** Fetches the details of the chosen exchange, again whenever there is something new about it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExchangeDetail, ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';

/** A body that grows is looked at this often, in milliseconds. */
const refreshMs = 400;

/** Returns the details; those of before while newer ones come, none of another exchange. */
export function useDetail(
  api: Api,
  summary: ExchangeSummary | undefined,
  showsSecrets: boolean,
): ExchangeDetail | undefined {
  const [detail, setDetail] = useState<ExchangeDetail | undefined>(undefined);
  const lastMs = useRef(0);
  const { id, revision } = summary ?? {};
  useEffect(() => {
    if (id === undefined) return undefined;
    const end = new AbortController();
    const fetchIt = (): void => {
      lastMs.current = performance.now();
      const query = showsSecrets ? '?secrets=show' : '';
      api.get<ExchangeDetail>(`/api/v1/requests/${id}${query}`, end.signal).then(setDetail, () => undefined);
    };
    const isOther = detail?.id !== id || detail.isMasked === showsSecrets;
    const waitMs = isOther ? 0 : Math.max(0, lastMs.current + refreshMs - performance.now());
    const timer = setTimeout(fetchIt, waitMs);
    return () => {
      clearTimeout(timer);
      end.abort();
    };
  }, [api, id, revision, showsSecrets]);
  return detail?.id === id ? detail : undefined;
}
