/** The messages of a WebSocket, as they come. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { base64Bytes } from '../../src/inspector/base64-bytes.ts';
import type { ExchangeDetail, MessageView } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';
import { bytesText, durationText } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { hexDump } from './body-text.ts';

/** Messages that are shown; the agent keeps no more either. */
const maxShown = 1000;
const retryMs = 1000;

interface Messages {
  readonly messages: MessageView[];
  readonly count: number;
}

/** Fetches what is new whenever the exchange has more of them. */
function useMessages(api: Api, { id, messageCount = 0 }: ExchangeDetail): readonly MessageView[] {
  const [shown, setShown] = useState<readonly MessageView[]>([]);
  const [failures, setFailures] = useState(0);
  const isFetching = useRef(false);
  const last = shown.at(-1)?.number ?? -1;
  useEffect(() => {
    if (isFetching.current || last >= messageCount - 1) return;
    isFetching.current = true;
    api
      .get<Messages>(`/api/v1/requests/${id}/messages?after=${last}`)
      .then(({ messages }) => setShown((before) => [...before, ...messages].slice(-maxShown)))
      // The list says that the agent does not answer; a WebSocket that is over has nothing new that would have us ask again.
      .catch(() => setTimeout(() => setFailures((before) => before + 1), retryMs))
      .finally(() => {
        isFetching.current = false;
      });
  }, [api, id, messageCount, last, failures]);
  return shown;
}

/** The list; it stays at its end while one is there. */
export function MessageList({ api, exchange }: { readonly api: Api; readonly exchange: ExchangeDetail }) {
  const messages = useMessages(api, exchange);
  const list = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = list.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [messages]);
  const missed = (messages[0]?.number ?? 0) > 0;
  return (
    <div class="messages">
      {exchange.isBroken && (
        <p class="notice bad">
          <Icon name="warning" />
          What follows is no WebSocket frame; it passed on unread.
        </p>
      )}
      {missed && <p class="muted">Messages before no. {(messages[0]?.number ?? 0) + 1} are no longer kept.</p>}
      {messages.length === 0 && <p class="muted body-absent">No message has passed yet.</p>}
      <section
        ref={list}
        class="message-list"
        tabIndex={0}
        aria-label="Messages"
        onScroll={({ currentTarget }) => {
          const { scrollTop, scrollHeight, clientHeight } = currentTarget;
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
      >
        {messages.map((message) => (
          <Message key={message.number} message={message} />
        ))}
      </section>
    </div>
  );
}

function Message({ message }: { readonly message: MessageView }) {
  const { direction, kind, atMs, bytes, isCompressed, isTruncated } = message;
  return (
    <div class={`message ${direction} ${kind}`}>
      <span class="message-direction">
        <Icon name={direction} />
        <span class="visually-hidden">{direction === 'toOrigin' ? 'to the service' : 'to the client'}</span>
      </span>
      <pre class="message-text">{textOf(message)}</pre>
      <span class="message-facts muted">
        {kind !== 'text' && <b>{kind}</b>}
        {isCompressed && <span title="It refers to messages that were not read">compressed</span>}
        {isTruncated && <span>beginning</span>}
        <span>{bytesText(bytes)}</span>
        <span>+{durationText(atMs)}</span>
      </span>
    </div>
  );
}

function textOf({ text, base64 }: MessageView): string {
  if (text !== undefined) return prettyJson(text);
  return hexDump(base64Bytes(base64 ?? ''));
}

/** Short JSON stays on its line. */
function prettyJson(text: string): string {
  if (text.length < 80 || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
