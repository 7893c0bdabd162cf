/** What came of an exchange, as colour and text. */
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import { statusTone } from '../parts/format.ts';

/** Status, `failed` with the one of the edge, or that it is still going on. */
export function StatusBadge({ exchange }: { readonly exchange: ExchangeSummary }) {
  const { status, failureStatus, code, isLive, protocol } = exchange;
  const tone = statusTone(status ?? 0);
  if (protocol !== undefined) {
    return (
      <span class={`badge ${tone}`}>
        {isLive && <span class="dot live" />}
        {protocol === 'websocket' ? 'WS' : status}
      </span>
    );
  }
  if (code !== undefined && code !== 'GIR_ERR_CANCELLED')
    return (
      <span class="badge bad">{status === undefined ? `failed ${failureStatus ?? ''}`.trimEnd() : `${status} ✕`}</span>
    );
  if (status === undefined) {
    return (
      <span class="badge">
        {isLive && <span class="dot live" />}
        {isLive ? 'waiting' : 'left'}
      </span>
    );
  }
  return (
    <span class={`badge ${tone}`}>
      {isLive && <span class="dot live" />}
      {status}
    </span>
  );
}
