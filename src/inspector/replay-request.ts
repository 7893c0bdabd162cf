/**
 * Makes the request of a replay from a recorded exchange and what somebody changed of it. Pure.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLine, FieldLines } from '../http/field-line.ts';
import { assertFieldLines, assertForwardableRequestHead } from '../http/field-validation.ts';
import type { BodyFraming, RequestHead } from '../http/message.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import { unmaskedFields, unmaskedTarget } from './secret-mask.ts';
import { wireText } from './wire-text.ts';

/** What is changed of a request that is sent again. What is absent stays as it was recorded. */
export interface ReplayEdits {
  readonly method?: string | undefined;
  /** Path and query. */
  readonly target?: string | undefined;
  readonly fields?: FieldLines | undefined;
  readonly body?: Buffer | undefined;
}

/** A request to send to an origin once more. */
export interface ReplayRequest {
  readonly endpoint: string;
  readonly targetName: string | undefined;
  readonly head: RequestHead;
  readonly body: Buffer;
  readonly replayOf: string;
}

const noBytes = Buffer.alloc(0);

/**
 * Returns the request.
 *
 * @throws {GiraffeError} GIR_ERR_REPLAY_REFUSED for an upgrade and for a body that was not recorded whole;
 *   GIR_ERR_API_BODY for edits that are no request.
 */
export function replayRequest(record: ExchangeRecord, edits: ReplayEdits): ReplayRequest {
  const { endpoint, targetName, head, upgrade } = record.beginning;
  if (upgrade !== undefined) throw refused('it asked for another protocol, which only its client can speak');
  const recorded = record.requestBody;
  if (edits.body === undefined) {
    if (recorded?.isTruncated === true) throw refused('its body is longer than what was kept of it; give another one');
    if (record.times.requestEndMs === undefined) throw refused('its body has not come whole; give another one');
  }
  const body = edits.body ?? recorded?.bytes ?? noBytes;
  const framing = edits.body === undefined ? head.body : framingOf(edits.body, head.body);
  const edited = { ...head, ...editedParts(head, edits), body: framing };
  const request = { ...edited, fields: framed(edited.fields, framing) };
  try {
    assertFieldLines(request.fields);
    assertForwardableRequestHead(request);
  } catch (error) {
    const { message } = GiraffeError.from(error);
    throw new GiraffeError('GIR_ERR_API_BODY', message.replace('the other end of the tunnel sent', 'the request has'));
  }
  return { endpoint, targetName, head: request, body, replayOf: record.id };
}

function editedParts(head: RequestHead, edits: ReplayEdits): Pick<RequestHead, 'method' | 'target' | 'fields'> {
  const edited = edits.fields?.map(([name, value]): FieldLine => [name, wireText(value)]);
  const fields = edited === undefined ? [...head.fields] : unmaskedFields(edited, head.fields);
  const target = edits.target === undefined ? head.target : unmaskedTarget(wireText(edits.target), head.target);
  if (target === undefined || fields === undefined) {
    throw new GiraffeError('GIR_ERR_API_BODY', 'a masked value stands where none was recorded; write the value');
  }
  return { method: edits.method ?? head.method, target, fields };
}

function framingOf(body: Buffer, recorded: BodyFraming): BodyFraming {
  if (body.length === 0 && recorded.kind === 'none') return recorded;
  return { kind: 'length', lengthBytes: body.length };
}

/** Fields that belong to one sending of a request: its framing, and the wait for 100 (Continue), which nobody needs. */
const ownFields = new Set(['content-length', 'transfer-encoding', 'expect', 'connection', 'upgrade']);

function framed(fields: FieldLines, framing: BodyFraming): FieldLine[] {
  const kept = fields.filter(([name]) => !ownFields.has(name.toLowerCase()));
  return framing.kind === 'length' ? [...kept, ['Content-Length', String(framing.lengthBytes)]] : kept;
}

function refused(why: string): GiraffeError {
  return new GiraffeError('GIR_ERR_REPLAY_REFUSED', why);
}
