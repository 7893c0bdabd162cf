/**
 * Request and response heads as payloads of HEAD frames, and trailers as payloads of END frames.
 *
 * The layout is text (latin1, one character per octet): a first line of words
 * separated by single spaces, then one `name:value` line per field, each behind
 * a line feed. No field may contain a line feed, so nothing needs escaping. What
 * is read has no control character but HTAB, and tokens for names: neither end
 * trusts the other. Whether a head means one thing only is for src/http to judge.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { decimal } from '../http/decimal.ts';
import type { FieldLine, FieldLines } from '../http/field-line.ts';
import { tokenEnd } from '../http/head-syntax.ts';
import type { BodyFraming, RequestHead, ResponseHead } from '../http/message.ts';
import { maxCreditBytes } from './frame.ts';
import { maxUrgency } from './turns.ts';

/** What the edge tells the agent about one exchange. */
export interface OpenRequest {
  readonly head: RequestHead;
  /** The endpoint's host, by which the agent finds the target. */
  readonly endpoint: string;
  /** Name of another target of that endpoint; undefined is its own. */
  readonly targetName?: string | undefined;
  /** Credit for the response body, in octets. */
  readonly windowBytes: number;
  /** How urgent its body is beside those of others, from 0 (first) to 7, both ways; undefined is 3 (RFC 9218 section 4.1). */
  readonly urgency?: number | undefined;
  /** The protocol the client wants to switch to, as in its Upgrade field; undefined for an ordinary exchange. */
  readonly upgrade: string | undefined;
}

const noBody: BodyFraming = { kind: 'none' };
const chunkedBody: BodyFraming = { kind: 'chunked' };
const untilCloseBody: BodyFraming = { kind: 'until-close' };

/** Encodes a request head: `method target minor-version body window[:urgency] endpoint[#target-name] [upgrade]`, then the fields. */
export function encodeOpenRequest({ head, endpoint, targetName, windowBytes, urgency, upgrade }: OpenRequest): Buffer {
  const place = targetName === undefined ? endpoint : `${endpoint}#${targetName}`;
  const credit = urgency === undefined ? windowBytes : `${windowBytes}:${urgency}`;
  const words = `${head.method} ${head.target} ${head.minorVersion} ${bodyWord(head.body)} ${credit} ${place}`;
  return Buffer.from(withFields(upgrade === undefined ? words : `${words} ${upgrade}`, head.fields), 'latin1');
}

/** @throws {GiraffeError} GIR_ERR_PROTOCOL when the payload has another layout. */
export function decodeOpenRequest(payload: Buffer): OpenRequest {
  const { first, fields } = splitFields(payload.toString('latin1'));
  const [method, target, version, body, window = '', place = '', upgrade] = words(first, 7);
  const at = place.indexOf('#');
  const endpoint = at === -1 ? place : place.slice(0, at);
  const targetName = at === -1 ? undefined : place.slice(at + 1);
  if (!method || !target || !endpoint || body === undefined || targetName === '') throw malformed('request head');
  const split = window.indexOf(':');
  const windowBytes = decimal(split === -1 ? window : window.slice(0, split));
  const urgency = split === -1 ? undefined : decimal(window.slice(split + 1));
  if (!(windowBytes <= maxCreditBytes) || !(urgency === undefined || urgency <= maxUrgency)) {
    throw malformed('window in a request head');
  }
  return {
    head: { method, target, minorVersion: minorVersion(version), fields, body: bodyFromWord(body) },
    endpoint,
    targetName,
    windowBytes,
    urgency,
    upgrade,
  };
}

/** Encodes a response head: `status minor-version body [reason]`, then the fields. */
export function encodeResponseHead(head: ResponseHead): Buffer {
  const words = `${head.status} ${head.minorVersion} ${bodyWord(head.body)} ${head.reason}`;
  return Buffer.from(withFields(words, head.fields), 'latin1');
}

/** @throws {GiraffeError} GIR_ERR_PROTOCOL when the payload has another layout. */
export function decodeResponseHead(payload: Buffer): ResponseHead {
  const { first, fields } = splitFields(payload.toString('latin1'));
  const [statusWord = '', version, body, reason = ''] = words(first, 4);
  const status = decimal(statusWord);
  if (statusWord.length !== 3 || !(status >= 100) || body === undefined) throw malformed('response head');
  return { status, minorVersion: minorVersion(version), body: bodyFromWord(body), reason, fields };
}

/** Encodes trailers; no trailers are an empty payload. */
export function encodeTrailers(trailers: FieldLines): Buffer {
  return trailers.length === 0 ? Buffer.alloc(0) : Buffer.from(withFields('', trailers), 'latin1');
}

/** @throws {GiraffeError} GIR_ERR_PROTOCOL when the payload has another layout. */
export function decodeTrailers(payload: Buffer): FieldLines {
  if (payload.length === 0) return [];
  const { first, fields } = splitFields(payload.toString('latin1'));
  if (first !== '') throw malformed('trailer section');
  return fields;
}

function withFields(first: string, fields: FieldLines): string {
  let text = first;
  for (const [name, value] of fields) text += `\n${name}:${value}`;
  return text;
}

/** Splits a line at single spaces into at most `count` words, the last of which is all that is left. */
function words(line: string, count: number): string[] {
  const found: string[] = [];
  let start = 0;
  while (found.length < count - 1) {
    const end = line.indexOf(' ', start);
    if (end === -1) break;
    found.push(line.slice(start, end));
    start = end + 1;
  }
  found.push(line.slice(start));
  return found;
}

/** Line feeds are ours; beside them, what a field value may hold (RFC 9110 section 5.5). */
const cleanText = /^[\t\n\x20-\x7e\x80-\xff]*$/;
const colon = 0x3a;

function splitFields(text: string): { first: string; fields: FieldLine[] } {
  if (!cleanText.test(text)) throw malformed('control character');
  const fields: FieldLine[] = [];
  const firstEnd = text.indexOf('\n');
  if (firstEnd === -1) return { first: text, fields };
  let start = firstEnd + 1;
  while (start <= text.length) {
    const nameEnd = tokenEnd(text, start);
    if (nameEnd === start || text.charCodeAt(nameEnd) !== colon) throw malformed('field line');
    let end = text.indexOf('\n', nameEnd);
    if (end === -1) end = text.length;
    fields.push([text.slice(start, nameEnd), text.slice(nameEnd + 1, end)]);
    start = end + 1;
  }
  return { first: text.slice(0, firstEnd), fields };
}

function bodyWord(body: BodyFraming): string {
  switch (body.kind) {
    case 'none':
      return '-';
    case 'length':
      return String(body.lengthBytes);
    case 'chunked':
      return 'c';
    case 'until-close':
      return 'x';
  }
}

function bodyFromWord(word: string): BodyFraming {
  if (word === '-') return noBody;
  if (word === 'c') return chunkedBody;
  if (word === 'x') return untilCloseBody;
  const lengthBytes = decimal(word);
  if (!Number.isSafeInteger(lengthBytes)) throw malformed('body length');
  return { kind: 'length', lengthBytes };
}

function minorVersion(word: string | undefined): 0 | 1 {
  if (word === '1') return 1;
  if (word === '0') return 0;
  throw malformed('HTTP version');
}

function malformed(what: string): GiraffeError {
  return new GiraffeError('GIR_ERR_PROTOCOL', `malformed ${what} in a frame`);
}
