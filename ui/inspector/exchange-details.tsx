/** Everything about the chosen exchange, and what can be done with it. */
import { useState } from 'preact/hooks';
import { type FieldLines, fieldValues } from '../../src/http/field-line.ts';
import type { ExchangeDetail } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';
import { durationText } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { BodyViewer } from './body-viewer.tsx';
import { FieldTable } from './field-table.tsx';
import { MessageList } from './message-list.tsx';
import { StatusBadge } from './status-badge.tsx';
import { TimingBar } from './timing-bar.tsx';

/** What can be done with an exchange. */
export interface ExchangeActions {
  readonly onReplay: () => void;
  readonly onEdit: () => void;
  readonly onCopyCurl: () => void;
  readonly onToggleSecrets: () => void;
  readonly onSelect: (id: string) => void;
  readonly onBack: () => void;
}

/** What is shown. */
export interface ExchangeDetailsProps extends ExchangeActions {
  readonly api: Api;
  readonly exchange: ExchangeDetail;
}

type Tab = 'response' | 'request' | 'messages';

/** The details. */
export function ExchangeDetails(props: ExchangeDetailsProps) {
  const { api, exchange } = props;
  const isWebSocket = exchange.messageCount !== undefined;
  const [tab, setTab] = useState<Tab>(isWebSocket ? 'messages' : 'response');
  const tabs: readonly (readonly [Tab, string])[] = [
    ...(isWebSocket ? [['messages', `Messages ${exchange.messageCount}`] as const] : []),
    ['response', 'Response'],
    ['request', 'Request'],
  ];
  return (
    <article class="details" aria-label={`${exchange.method} ${exchange.path}`}>
      <Head {...props} />
      <TimingBar exchange={exchange} />
      {exchange.code !== undefined && <Failure exchange={exchange} />}
      <Tabs tabs={tabs} chosen={tab} onChoose={setTab} />
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'messages' && <MessageList api={api} exchange={exchange} />}
        {tab === 'response' && <ResponsePart exchange={exchange} />}
        {tab === 'request' && <RequestPart exchange={exchange} />}
      </div>
    </article>
  );
}

function Head({ exchange, onReplay, onEdit, onCopyCurl, onToggleSecrets, onSelect, onBack }: ExchangeDetailsProps) {
  const { id, method, url, upgrade, isMasked, replayOf } = exchange;
  const unfit = upgrade === undefined ? undefined : 'A request that asks for another protocol cannot be sent again';
  const har = `/api/v1/requests.har?id=${id}${isMasked ? '' : '&secrets=show'}`;
  return (
    <header class="details-head">
      <div class="details-title">
        <button type="button" class="button plain square back" aria-label="Back to the list" onClick={onBack}>
          <Icon name="back" />
        </button>
        <h2 class="mono">
          <span class="details-method">{method}</span> {url}
        </h2>
        <StatusBadge exchange={exchange} />
      </div>
      <p class="details-facts muted">
        <span>{new Date(exchange.startedAt).toLocaleString(undefined, { hour12: false })}</span>
        <span>{durationText(exchange.durationMs)}</span>
        {exchange.remoteAddress !== undefined && <span>from {exchange.remoteAddress}</span>}
        <span>to {exchange.target}</span>
        <span>
          {exchange.carrier === 'local'
            ? 'sent by the inspector'
            : `over ${exchange.carrier === 'grpc' ? 'gRPC' : 'TCP'}`}
        </span>
        {replayOf !== undefined && (
          <button type="button" class="link" onClick={() => onSelect(replayOf)}>
            replay of an earlier request
          </button>
        )}
      </p>
      <div class="actions">
        <button type="button" class="button primary" disabled={unfit !== undefined} title={unfit} onClick={onReplay}>
          <Icon name="repeat" /> Replay
        </button>
        <button type="button" class="button" disabled={unfit !== undefined} title={unfit} onClick={onEdit}>
          <Icon name="edit" /> Edit
        </button>
        <button type="button" class="button" onClick={onCopyCurl}>
          <Icon name="copy" /> Copy as curl
        </button>
        <a class="button" href={har} download="giraffe.har">
          <Icon name="download" /> HAR
        </a>
        <button type="button" class="button" aria-pressed={!isMasked} onClick={onToggleSecrets}>
          <Icon name="eye" /> {isMasked ? 'Show secrets' : 'Hide secrets'}
        </button>
      </div>
    </header>
  );
}

function Failure({ exchange }: { readonly exchange: ExchangeDetail }) {
  const { code, detail, isLive } = exchange;
  if (code === 'GIR_ERR_CANCELLED') {
    return (
      <p class="notice">
        <Icon name="leave" />
        The client went away before the answer was complete.
      </p>
    );
  }
  return (
    <div class="notice bad" role={isLive ? undefined : 'note'}>
      <Icon name="warning" />
      <span>
        <b>{code}</b> {detail}. <span class="mono">giraffe explain {code}</span> says more.
      </span>
    </div>
  );
}

interface TabsProps {
  readonly tabs: readonly (readonly [Tab, string])[];
  readonly chosen: Tab;
  readonly onChoose: (tab: Tab) => void;
}

/** Arrow keys go from tab to tab. */
function Tabs({ tabs, chosen, onChoose }: TabsProps) {
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const at = tabs.findIndex(([name]) => name === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length]?.[0];
    if (step === 0 || next === undefined) return;
    onChoose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Parts of the exchange" onKeyDown={move}>
      {tabs.map(([name, label]) => (
        <button
          type="button"
          key={name}
          id={`tab-${name}`}
          role="tab"
          aria-selected={name === chosen}
          aria-controls="panel"
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function ResponsePart({ exchange }: { readonly exchange: ExchangeDetail }) {
  const { response, interim, isLive, protocol } = exchange;
  if (response === undefined) {
    return <p class="muted body-absent">{isLive ? 'The service has not answered yet.' : 'There was no answer.'}</p>;
  }
  return (
    <>
      <p class="start-line mono">
        HTTP/1.1 <b>{response.status}</b> {response.reason}
        {interim.length > 0 && <span class="muted"> after {interim.join(', ')}</span>}
      </p>
      {protocol === undefined && (
        <BodyViewer body={response.body} contentType={typeOf(response.fields)} absent="The response has no body." />
      )}
      <FieldTable title="Headers" fields={response.fields} />
      <FieldTable title="Trailers" fields={response.trailers} />
    </>
  );
}

function RequestPart({ exchange }: { readonly exchange: ExchangeDetail }) {
  const { request, method, path, httpVersion } = exchange;
  return (
    <>
      <p class="start-line mono">
        <b>{method}</b> {path} HTTP/{httpVersion}
      </p>
      <BodyViewer body={request.body} contentType={typeOf(request.fields)} absent="The request has no body." />
      <Query path={path} />
      <FieldTable title="Headers" fields={request.fields} />
      <FieldTable title="Trailers" fields={request.trailers} />
    </>
  );
}

function Query({ path }: { readonly path: string }) {
  const at = path.indexOf('?');
  return at === -1 ? null : <FieldTable title="Query" fields={[...new URLSearchParams(path.slice(at + 1))]} />;
}

function typeOf(fields: FieldLines): string {
  return fieldValues(fields, 'content-type').at(-1) ?? '';
}
