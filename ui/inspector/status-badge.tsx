/** What came of an exchange, as colour and text. */
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';

/** Status, `failed`, or that it is still going on. */
export function StatusBadge({ exchange }: { readonly exchange: ExchangeSummary }) {
  const { status, code, isLive, protocol } = exchange;
  const tone = toneOf(exchange);
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
      <span class="badge bad">
        {status ?? 'failed'}
        {status !== undefined && ' ✕'}
      </span>
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

function toneOf({ status = 0 }: ExchangeSummary): string {
  if (status >= 500) return 'bad';
  if (status >= 400) return 'warn';
  if (status >= 300) return 'quiet';
  return status >= 200 ? 'ok' : 'info';
}
