/** Keeps the latest events of the edge. */
import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../parts/api.ts';
import { listen } from '../parts/event-stream.ts';
import type { EdgeEvent } from './edge-api.ts';

/** An event with a number of its own. */
export interface NumberedEvent extends EdgeEvent {
  readonly number: number;
}

const maxEvents = 200;
/** Events are shown together, so that a busy edge does not busy the page. */
const gatherMs = 250;

/** Returns the latest events, the newest first. */
export function useEvents(api: Api): readonly NumberedEvent[] {
  const [events, setEvents] = useState<readonly NumberedEvent[]>([]);
  useEffect(() => {
    const end = new AbortController();
    let gathered: NumberedEvent[] = [];
    let count = 0;
    const timer = setInterval(() => {
      if (gathered.length === 0) return;
      const fresh = gathered.reverse();
      gathered = [];
      setEvents((before) => [...fresh, ...before].slice(0, maxEvents));
    }, gatherMs);
    const onEvent = ({ event, data }: { event: string; data: unknown }): void => {
      count += 1;
      gathered = [...gathered.slice(1 - maxEvents), { ...(data as EdgeEvent), event, number: count }];
    };
    void listen(api, '/api/v1/events', { onEvent }, end.signal);
    return () => {
      end.abort();
      clearInterval(timer);
    };
  }, [api]);
  return events;
}
