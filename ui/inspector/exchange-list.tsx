/** The list of exchanges: one of them is chosen, by pointer or keys. */
import { memo } from 'preact/compat';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import { bytesText, durationText, timeText } from '../parts/format.ts';
import { StatusBadge } from './status-badge.tsx';

/** Lines that are made at once: to make 10,000 of them stops the page for seconds. */
const batchCount = 200;

/** What the list shows. */
export interface ExchangeListProps {
  readonly exchanges: readonly ExchangeSummary[];
  readonly selectedId: string | undefined;
  /** Whether lines name their endpoint: there are several. */
  readonly showsHost: boolean;
  /** The same one each time: a new one has every line made again. */
  readonly onSelect: (id: string) => void;
}

/** One stop for the Tab key; the page's keys move in it. Its end is made when somebody comes near it. */
export function ExchangeList({ exchanges, selectedId, showsHost, onSelect }: ExchangeListProps) {
  const list = useRef<HTMLUListElement>(null);
  const [limit, setLimit] = useState(batchCount);
  const selectedAt = exchanges.findIndex(({ id }) => id === selectedId);
  const made = exchanges.slice(0, Math.max(limit, selectedAt + 1));
  useEffect(() => {
    const line = list.current?.querySelector<HTMLElement>('[aria-current="true"]');
    line?.scrollIntoView({ block: 'nearest' });
    if (list.current?.contains(document.activeElement)) line?.focus();
  }, [selectedId]);
  const stopId = selectedAt === -1 ? exchanges[0]?.id : selectedId;
  return (
    <ul class="exchanges" ref={list} aria-label="Requests, the latest first">
      {made.map((exchange) => (
        <Line
          key={exchange.id}
          exchange={exchange}
          isSelected={exchange.id === selectedId}
          isStop={exchange.id === stopId}
          showsHost={showsHost}
          onSelect={onSelect}
        />
      ))}
      {made.length < exchanges.length && (
        <ListEnd key={made.length} onSeen={() => setLimit(made.length + batchCount)} />
      )}
    </ul>
  );
}

/** Stands for the lines that are not made yet; tells when it comes into view. */
function ListEnd({ onSeen }: { readonly onSeen: () => void }) {
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting === true && onSeen());
    if (place.current !== null) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return <li ref={place} class="exchanges-end" aria-hidden="true" />;
}

interface LineProps {
  readonly exchange: ExchangeSummary;
  readonly isSelected: boolean;
  readonly isStop: boolean;
  readonly showsHost: boolean;
  readonly onSelect: (id: string) => void;
}

/** There may be 10,000, and each change is about a few: the others are not gone through again. */
const Line = memo(({ exchange, isSelected, isStop, showsHost, onSelect }: LineProps) => {
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
});
