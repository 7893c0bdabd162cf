/** Turns records into what the API says of them, secrets masked unless the caller asks for them. */
import { type FieldLine, type FieldLines, fieldValues, listMembers } from '../http/field-line.ts';
import { decodeBody } from './body-decoder.ts';
import type { CapturedBody } from './captured-body.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { BodyView, ExchangeDetail, ExchangeSummary, MessagePart, MessageView } from './exchange-view.ts';
import type { LoggedMessage } from './message-log.ts';
import { maskedFields, maskedTarget } from './secret-mask.ts';
import { readableText } from './wire-text.ts';

/** Octets into which the bodies of one list are decoded, about; those behind stay as they came: one of 1 KB may become a MB. */
const maxListBytes = 16 * 1024 * 1024;

/** Returns the line of the list. */
export function summaryOf(record: ExchangeRecord, isMasked = true): ExchangeSummary {
  const { id, revision, beginning, response, error, isLive, durationMs, relayedBytes, messages } = record;
  const { head, endpoint, target, carrier, replayOf } = beginning;
  return {
    id,
    revision,
    startedAt: new Date(record.startedAtMs).toISOString(),
    endpoint,
    target,
    carrier,
    method: head.method,
    path: readableText(isMasked ? maskedTarget(head.target) : head.target),
    status: response?.status,
    code: error?.code,
    failureStatus: response === undefined && error?.code !== 'GIR_ERR_CANCELLED' ? error?.entry.status : undefined,
    isLive,
    durationMs,
    requestBytes: (record.requestBody?.totalBytes ?? 0) + relayedBytes.toOrigin,
    responseBytes: (record.responseBody?.totalBytes ?? 0) + relayedBytes.toClient,
    contentType: response && fieldValues(response.fields, 'content-type').at(-1),
    protocol: response?.status === 101 ? listMembers(response.fields, 'upgrade').at(0) : undefined,
    messageCount: messages?.count,
    replayOf,
  };
}

/** Returns the details of many, one after the other. */
export async function detailsOf(records: readonly ExchangeRecord[], isMasked = true): Promise<ExchangeDetail[]> {
  const room = { bytes: maxListBytes };
  const details: ExchangeDetail[] = [];
  for (const record of records) details.push(await detailOf(record, isMasked, room));
  return details;
}

/**
 * Returns everything but the messages of a WebSocket, bodies decoded.
 * @param room How many octets decoded bodies may still have; falls by what these have.
 */
export async function detailOf(
  record: ExchangeRecord,
  isMasked = true,
  room = { bytes: maxListBytes },
): Promise<ExchangeDetail> {
  const { beginning, response, error, times } = record;
  const { head } = beginning;
  const shown = (fields: FieldLines): FieldLines =>
    (isMasked ? maskedFields(fields) : fields).map(([name, value]): FieldLine => [name, readableText(value)]);
  const part = async (fields: FieldLines, trailers: FieldLines, body?: CapturedBody): Promise<MessagePart> => ({
    fields: shown(fields),
    trailers: shown(trailers),
    body: body && (await bodyView(body, listMembers(fields, 'content-encoding'), room)),
  });
  const summary = summaryOf(record, isMasked);
  return {
    ...summary,
    httpVersion: head.minorVersion === 0 ? '1.0' : '1.1',
    url: urlOf(head.fields, beginning.endpoint, summary.path),
    remoteAddress: listMembers(head.fields, 'x-forwarded-for').at(0),
    upgrade: beginning.upgrade,
    detail: error?.message,
    times: {
      connectedMs: times.connectedMs,
      requestEndMs: times.requestEndMs,
      headMs: times.headMs,
      endMs: times.endMs,
    },
    isReused: record.isReused,
    interim: record.interim,
    request: await part(head.fields, record.requestTrailers, record.requestBody),
    response: response && {
      status: response.status,
      reason: readableText(response.reason),
      ...(await part(response.fields, record.responseTrailers, record.responseBody)),
    },
    isBroken: record.messages?.isBroken ?? false,
    isMasked,
  };
}

/** Returns messages of a WebSocket. @param after Number of the last one that is known already; -1 for none. */
export function messagesOf(record: ExchangeRecord, after: number): MessageView[] {
  return (record.messages?.messages ?? []).filter(({ number }) => number > after).map(messageView);
}

function messageView({ payload, wireBytes, isCompressed, ...rest }: LoggedMessage): MessageView {
  const hasCode = rest.kind === 'close' && payload.length >= 2;
  const isText = !isCompressed && rest.kind !== 'binary';
  const closing = hasCode ? `${payload.readUInt16BE()} ${payload.subarray(2)}`.trim() : undefined;
  return {
    ...rest,
    bytes: wireBytes,
    isCompressed,
    text: isText ? (closing ?? payload.toString()) : undefined,
    base64: isText ? undefined : payload.toString('base64'),
  };
}

async function bodyView(body: CapturedBody, codings: readonly string[], room: { bytes: number }): Promise<BodyView> {
  const kept = body.bytes;
  const { totalBytes, isTruncated } = body;
  const { bytes, decoded } = await decodeBody(kept, room.bytes > 0 ? codings : []);
  if (decoded.length > 0) room.bytes -= bytes.length;
  return { totalBytes, capturedBytes: kept.length, isTruncated, decoded, base64: bytes.toString('base64') };
}

/** The edge says in its own fields how the client reached it. */
function urlOf(fields: FieldLines, endpoint: string, path: string): string {
  const scheme = fieldValues(fields, 'x-forwarded-proto').at(-1) === 'https' ? 'https' : 'http';
  const host = fieldValues(fields, 'host').at(0) ?? endpoint;
  return `${scheme}://${host}${path === '*' ? '' : path}`;
}
