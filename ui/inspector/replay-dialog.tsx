/** Changes a recorded request and sends it again. */
import { useState } from 'preact/hooks';
import type { FieldLine } from '../../src/http/field-line.ts';
import type { ExchangeDetail } from '../../src/inspector/exchange-view.ts';
import type { Api } from '../parts/api.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { bytesText } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { contentOf } from './body-text.ts';
import { inTextField, withLineEnds } from './edited-text.ts';

/** What the dialog works on. */
export interface ReplayDialogProps {
  readonly api: Api;
  readonly exchange: ExchangeDetail;
  readonly onSent: (id: string) => void;
  readonly onClose: () => void;
}

/** Fields that are made anew for each sending. */
const madeAnew = /^(?:content-length|transfer-encoding|connection|expect)$/i;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The form. Masked values may stay: the agent has the recorded ones. */
export function ReplayDialog({ api, exchange, onSent, onClose }: ReplayDialogProps) {
  const { request } = exchange;
  const recorded = request.body === undefined ? '' : contentOf(request.body.base64, '').text;
  const [method, setMethod] = useState(exchange.method);
  const [target, setTarget] = useState(exchange.path);
  const [lines, setLines] = useState(linesOf(request.fields));
  const shown = inTextField(recorded ?? '');
  const [body, setBody] = useState(shown);
  const isText = recorded !== undefined;
  const isTruncated = request.body?.isTruncated === true;
  const wasDecoded = (request.body?.decoded.length ?? 0) > 0;

  const send = async (): Promise<void> => {
    const isBodyChanged = isText && (body !== shown || isTruncated);
    const fields = fieldsOf(lines).filter(
      ([name]) => !(isBodyChanged && wasDecoded && /^content-encoding$/i.test(name)),
    );
    const bodyBase64 = isBodyChanged ? { bodyBase64: base64Of(withLineEnds(recorded, body)) } : {};
    const path = `/api/v1/requests/${exchange.id}/replay`;
    const { id } = await api.send<{ id: string }>('POST', path, { method, target, fields, ...bodyBase64 });
    onSent(id);
  };

  return (
    <FormDialog title="Edit and replay" action="Send" icon="repeat" work={send} onClose={onClose}>
      <div class="replay-line">
        <label class="field">
          Method
          <input
            class="input mono"
            list="methods"
            value={method}
            required
            onInput={({ currentTarget }) => setMethod(currentTarget.value)}
          />
          <datalist id="methods">
            {methods.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        <label class="field">
          Path and query
          <input
            class="input mono"
            value={target}
            required
            spellcheck={false}
            onInput={({ currentTarget }) => setTarget(currentTarget.value)}
          />
        </label>
      </div>
      <label class="field">
        Headers, one per line
        <textarea
          class="input mono"
          rows={Math.min(10, lines.split('\n').length + 1)}
          value={lines}
          spellcheck={false}
          onInput={({ currentTarget }) => setLines(currentTarget.value)}
        />
      </label>
      {isText ? (
        <label class="field">
          Body
          <textarea
            class="input mono"
            rows={6}
            value={body}
            spellcheck={false}
            onInput={({ currentTarget }) => setBody(currentTarget.value)}
          />
        </label>
      ) : (
        <p class="muted">
          The body, {bytesText(request.body?.totalBytes ?? 0)} that are no text, is sent as it was recorded.
        </p>
      )}
      {isText && isTruncated && (
        <p class="notice">
          <Icon name="warning" />
          Only the beginning of the body is kept; no more than that is sent.
        </p>
      )}
      {exchange.isMasked && lines.includes('[masked]') && (
        <p class="muted">Values that are masked are sent as they were recorded.</p>
      )}
    </FormDialog>
  );
}

function linesOf(fields: readonly FieldLine[]): string {
  return fields
    .filter(([name]) => !madeAnew.test(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

function fieldsOf(lines: string): FieldLine[] {
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): FieldLine => {
      const at = line.indexOf(':');
      return at === -1 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
}

function base64Of(text: string): string {
  let octets = '';
  for (const octet of new TextEncoder().encode(text)) octets += String.fromCharCode(octet);
  return btoa(octets);
}
