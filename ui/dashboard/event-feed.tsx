/** What happens at the edge, as it happens. */
import { useState } from 'preact/hooks';
import { durationText, statusTone, timeText } from '../parts/format.ts';
import { Segments } from '../parts/segments.tsx';
import type { NumberedEvent } from './use-events.ts';

const kinds = [
  { name: 'all', label: 'All' },
  { name: 'errors', label: 'Errors' },
  { name: 'agents', label: 'Agents' },
] as const;

type Kind = (typeof kinds)[number]['name'];

/** The latest first. */
export function EventFeed({ events }: { readonly events: readonly NumberedEvent[] }) {
  const [kind, setKind] = useState<Kind>('all');
  const shown = events.filter((event) => isOfKind(event, kind));
  return (
    <>
      <Segments legend="Show events" choices={kinds} chosen={kind} onChoose={setKind} />
      {shown.length === 0 && (
        <p class="muted absent">
          {events.length === 0 ? 'Nothing has happened since this page was opened.' : 'None yet.'}
        </p>
      )}
      <ol class="events" aria-label="Events, the latest first">
        {shown.map((event) => (
          <li key={event.number}>
            <time class="muted" dateTime={event.at}>
              {timeText(event.at)}
            </time>
            <Line event={event} />
          </li>
        ))}
      </ol>
    </>
  );
}

function isOfKind({ event, code }: NumberedEvent, kind: Kind): boolean {
  if (kind === 'agents') return event.startsWith('session-');
  return kind === 'all' || (event === 'exchange' && code !== undefined) || event === 'breaker';
}

function Line({ event }: { readonly event: NumberedEvent }) {
  const text = (name: string): string => (event[name] === undefined ? '' : String(event[name]));
  const { domains } = event;
  const places = Array.isArray(domains) ? domains.join(', ') : '';
  switch (event.event) {
    case 'exchange':
      return (
        <>
          <span class={`badge ${toneOf(event)}`}>{text('status') || 'failed'}</span>
          <span class="event-text mono" title={text('code')}>
            <b>{text('method')}</b> {text('domain')}
            {text('path')} {event['code'] !== undefined && <span class="muted">{text('code')}</span>}
          </span>
          <span class="muted event-end">{durationText(Number(event['durationMs']))}</span>
        </>
      );
    case 'session-opened':
      return <Told badge="agent" tone="ok" text={`${places} opened, ${text('mode')}`} />;
    case 'session-mode':
      return <Told badge="agent" tone="info" text={`${places} is now ${text('mode')}`} />;
    case 'session-withdrawn':
      return (
        <Told
          badge="agent"
          tone="warn"
          text={`${text('domain')} ended: ${text('code')}; its agent goes on with ${places}`}
        />
      );
    case 'session-closed':
      return event['code'] === undefined ? (
        <Told badge="agent" tone="" text={`${places} left`} />
      ) : (
        <Told badge="agent" tone="warn" text={`${places} ended: ${text('code')}`} />
      );
    case 'breaker':
      return <Told badge="breaker" tone="bad" text={`${text('domain')} ${text('state')}`} />;
    case 'draining':
      return <Told badge="edge" tone="warn" text="drains" />;
    default:
      return <Told badge={event.event} tone="" text={text('count')} />;
  }
}

function Told({ badge, tone, text }: { readonly badge: string; readonly tone: string; readonly text: string }) {
  return (
    <>
      <span class={`badge ${tone}`}>{badge}</span>
      <span class="event-text">{text}</span>
    </>
  );
}

function toneOf({ status, code }: NumberedEvent): string {
  return code === undefined ? statusTone(Number(status)) : 'bad';
}
