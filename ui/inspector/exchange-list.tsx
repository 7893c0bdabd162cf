/** The list of exchanges: one of them is chosen, by pointer or keys. */
import { useEffect, useRef } from 'preact/hooks';
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import { bytesText, durationText, timeText } from '../parts/format.ts';
import { StatusBadge } from './status-badge.tsx';

/** What the list shows. */
export interface ExchangeListProps {
  readonly exchanges: readonly ExchangeSummary[];
  readonly selectedId: string | undefined;
  /** Whether lines name their endpoint: there are several. */
  readonly showsHost: boolean;
  readonly onSelect: (id: string) => void;
}

/** One stop for the Tab key; the page's keys move in it. */
export function ExchangeList({ exchanges, selectedId, showsHost, onSelect }: ExchangeListProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const line = list.current?.querySelector<HTMLElement>('[aria-current="true"]');
    line?.scrollIntoView({ block: 'nearest' });
    if (list.current?.contains(document.activeElement)) line?.focus();
  }, [selectedId]);
  const stopId = exchanges.some(({ id }) => id === selectedId) ? selectedId : exchanges[0]?.id;
  return (
    <ul class="exchanges" ref={list} aria-label="Requests, the latest first">
      {exchanges.map((exchange) => (
        <Line
          key={exchange.id}
          exchange={exchange}
          isSelected={exchange.id === selectedId}
          isStop={exchange.id === stopId}
          showsHost={showsHost}
          onSelect={onSelect}
        />
      ))}
    </ul>
  );
}

interface LineProps {
  readonly exchange: ExchangeSummary;
  readonly isSelected: boolean;
  readonly isStop: boolean;
  readonly showsHost: boolean;
  readonly onSelect: (id: string) => void;
}

function Line({ exchange, isSelected, isStop, showsHost, onSelect }: LineProps) {
  const { id, method, path, startedAt, durationMs, responseBytes, requestBytes, endpoint, isLive } = exchange;
  const bytes = exchange.protocol === undefined ? responseBytes : responseBytes + requestBytes;
  return (
    <li>
      <button
        type="button"
        class="exchange"
        aria-current={isSelected}
        tabIndex={isStop ? 0 : -1}
        onClick={() => onSelect(id)}
      >
        <span class="exchange-method mono">{method}</span>
        <span class="exchange-path mono" title={path}>
          {path}
        </span>
        <StatusBadge exchange={exchange} />
        <span class="exchange-facts">
          <span>{timeText(startedAt)}</span>
          <span>{isLive ? 'open' : durationText(durationMs)}</span>
          <span>{bytesText(bytes)}</span>
          {exchange.messageCount !== undefined && <span>{exchange.messageCount} messages</span>}
          {exchange.replayOf !== undefined && <span class="exchange-replay">replay</span>}
          {showsHost && <span class="exchange-host">{endpoint}</span>}
        </span>
      </button>
    </li>
  );
}
