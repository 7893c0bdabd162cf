/** Shows a body in the way that suits it, or in another one. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { BodyView } from '../../src/inspector/exchange-view.ts';
import { bytesText } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Segments } from '../parts/segments.tsx';
import { type BodyContent, type BodyMode, contentOf, hexDump, jsonTokens } from './body-text.ts';

const modeNames: Readonly<Record<BodyMode, string>> = {
  pretty: 'Pretty',
  form: 'Form',
  image: 'Image',
  text: 'Text',
  hex: 'Hex',
};
/** Longer JSON is shown in one colour, which browsers lay out much faster. */
const maxColouredLength = 200_000;

/** What is shown. */
export interface BodyViewerProps {
  readonly body: BodyView | undefined;
  readonly contentType: string;
  /** What to say when there is none. */
  readonly absent: string;
}

/** A body with its size and the ways to show it. */
export function BodyViewer({ body, contentType, absent }: BodyViewerProps) {
  const content = useMemo(() => body && contentOf(body.base64, contentType), [body?.base64, contentType]);
  const [chosen, choose] = useState<BodyMode | undefined>(undefined);
  if (body === undefined || content === undefined) return <p class="muted body-absent">{absent}</p>;
  const mode = chosen !== undefined && content.modes.includes(chosen) ? chosen : content.modes[0];
  return (
    <div class="body">
      <div class="body-bar">
        <Segments
          legend="Show body as"
          choices={content.modes.map((name) => ({ name, label: modeNames[name] }))}
          chosen={mode}
          onChoose={choose}
        />
        <span class="muted">
          {bytesText(body.totalBytes)}
          {body.decoded.length > 0 && `, ${body.decoded.join(', ')} decoded`}
        </span>
      </div>
      {body.isTruncated && (
        <p class="notice">
          <Icon name="warning" />
          Only the first {bytesText(body.capturedBytes)} of {bytesText(body.totalBytes)} are kept; --inspect-body keeps
          more.
        </p>
      )}
      <Content content={content} mode={mode ?? 'hex'} />
    </div>
  );
}

function Content({ content, mode }: { readonly content: BodyContent; readonly mode: BodyMode }) {
  switch (mode) {
    case 'pretty':
      return <Json value={content.json} />;
    case 'form':
      return <Form text={content.text ?? ''} />;
    case 'image':
      return <Picture content={content} />;
    case 'text':
      return <Code label="Body as text">{content.text}</Code>;
    case 'hex':
      return (
        <Code label="Body as octets" isWide>
          {hexDump(content.bytes)}
        </Code>
      );
  }
}

function Json({ value }: { readonly value: unknown }) {
  const tokens = useMemo(() => jsonTokens(value), [value]);
  const length = tokens.reduce((sum, { text }) => sum + text.length, 0);
  if (length > maxColouredLength) return <Code label="Body as JSON">{tokens.map(({ text }) => text).join('')}</Code>;
  return (
    <Code label="Body as JSON">
      {tokens.map(({ text, tone }) => (tone === undefined ? text : <span class={`json-${tone}`}>{text}</span>))}
    </Code>
  );
}

function Form({ text }: { readonly text: string }) {
  return (
    <dl class="fields">
      {[...new URLSearchParams(text)].map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** As a picture alone: scripts of an SVG do not run in it. */
function Picture({ content }: { readonly content: BodyContent }) {
  const [url, setUrl] = useState<string | undefined>(undefined);
  const [facts, setFacts] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([content.bytes], { type: content.mediaType }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [content]);
  return (
    <figure class="picture">
      {url !== undefined && (
        <img
          src={url}
          alt="The body"
          onLoad={({ currentTarget }) => setFacts(`${currentTarget.naturalWidth} × ${currentTarget.naturalHeight}`)}
          onError={() => setFacts('This image cannot be shown; perhaps it is only a beginning.')}
        />
      )}
      <figcaption class="muted">{facts}</figcaption>
    </figure>
  );
}

function Code({
  label,
  isWide = false,
  children,
}: {
  label: string;
  isWide?: boolean;
  children: preact.ComponentChildren;
}) {
  return (
    // Scrolls, so the keyboard must reach it.
    <section class={`code ${isWide ? 'wide' : ''}`} tabIndex={0} aria-label={label}>
      <pre>{children}</pre>
    </section>
  );
}
