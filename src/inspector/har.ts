/**
 * Exports exchanges as an HTTP archive, HAR 1.2, which browsers' developer tools and other programs can open. Pure.
 *
 * What HAR 1.2 has no place for stands in fields that begin with an underscore, as it asks; those of WebSockets are called
 * as the developer tools of Chromium call them.
 */
import { type FieldLines, fieldValues } from '../http/field-line.ts';
import type { BodyView, ExchangeDetail, MessageView } from './exchange-view.ts';

/** Returns the archive. @param version Of giraffe. @param messagesOf Returns the messages of a WebSocket, by its id. */
export function harOf(
  exchanges: readonly ExchangeDetail[],
  version: string,
  messagesOf: (id: string) => readonly MessageView[] = () => [],
): object {
  const entries = exchanges.map((exchange) => entryOf(exchange, messagesOf));
  return { log: { version: '1.2', creator: { name: 'giraffe', version }, entries } };
}

function entryOf(exchange: ExchangeDetail, messagesOf: (id: string) => readonly MessageView[]): object {
  const { request, response, url, method, httpVersion, code, detail } = exchange;
  return {
    startedDateTime: exchange.startedAt,
    time: exchange.durationMs,
    request: {
      method,
      url,
      httpVersion: `HTTP/${httpVersion}`,
      cookies: [],
      headers: headersOf(request.fields),
      queryString: queryOf(url),
      headersSize: -1,
      bodySize: exchange.requestBytes,
      ...(request.body === undefined ? {} : { postData: postDataOf(request.body, request.fields) }),
    },
    response: {
      status: response?.status ?? 0,
      statusText: response?.reason ?? '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: headersOf(response?.fields ?? []),
      content: contentOf(response?.body, response?.fields ?? []),
      redirectURL: fieldValues(response?.fields ?? [], 'location').at(0) ?? '',
      headersSize: -1,
      bodySize: exchange.responseBytes,
    },
    cache: {},
    timings: timingsOf(exchange),
    ...(code === undefined ? {} : { comment: `${code}: ${detail ?? ''}` }),
    ...(exchange.messageCount === undefined ? {} : webSocketOf(exchange, messagesOf(exchange.id))),
  };
}

const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

function webSocketOf({ startedAt }: ExchangeDetail, messages: readonly MessageView[]): object {
  const beganMs = Date.parse(startedAt);
  const messageOf = ({ direction, kind, atMs, text, base64 }: MessageView): object => ({
    type: direction === 'toOrigin' ? 'send' : 'receive',
    time: (beganMs + atMs) / 1000,
    opcode: opcodes[kind],
    data: text ?? base64 ?? '',
  });
  return { _resourceType: 'websocket', _webSocketMessages: messages.map(messageOf) };
}

function headersOf(fields: FieldLines): object[] {
  return fields.map(([name, value]) => ({ name, value }));
}

function queryOf(url: string): object[] {
  const at = url.indexOf('?');
  if (at === -1) return [];
  return [...new URLSearchParams(url.slice(at + 1))].map(([name, value]) => ({ name, value }));
}

function postDataOf(body: BodyView, fields: FieldLines): object {
  const text = textOf(body);
  const mimeType = fieldValues(fields, 'content-type').at(-1) ?? '';
  if (text !== undefined) return { mimeType, params: [], text, ...truncation(body) };
  return { mimeType, params: [], text: body.base64, _encoding: 'base64', ...truncation(body) };
}

function contentOf(body: BodyView | undefined, fields: FieldLines): object {
  const mimeType = fieldValues(fields, 'content-type').at(-1) ?? 'x-unknown';
  if (body === undefined) return { size: 0, mimeType };
  const text = textOf(body);
  const content = text === undefined ? { text: body.base64, encoding: 'base64' } : { text };
  return { size: body.totalBytes, mimeType, ...content, ...truncation(body) };
}

function truncation({ isTruncated, capturedBytes, totalBytes }: BodyView): object {
  return isTruncated ? { comment: `the first ${capturedBytes} of ${totalBytes} octets` } : {};
}

/** Control characters that no text has; as text in JSON each would take six. */
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

/** Returns a body as text; undefined when it is none. A beginning may end within a character. */
function textOf({ base64, isTruncated }: BodyView): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isTruncated });
    return controls.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Phases add up to the whole time; -1 is what the format says for one that did not take place. */
function timingsOf({ times, isReused, durationMs }: ExchangeDetail): object {
  const connectedMs = times.connectedMs ?? 0;
  const sentMs = Math.max(connectedMs, Math.min(times.requestEndMs ?? connectedMs, times.headMs ?? durationMs));
  const headMs = Math.max(sentMs, times.headMs ?? durationMs);
  return {
    blocked: isReused ? connectedMs : -1,
    connect: isReused ? -1 : connectedMs,
    send: sentMs - connectedMs,
    wait: headMs - sentMs,
    receive: Math.max(0, durationMs - headMs),
  };
}
