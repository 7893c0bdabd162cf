/**
 * Writes the response that a client gets when giraffe itself, not the origin, has to answer.
 *
 * It tells the code, whose side it is, and the next step; never an inner address or any other detail of the error.
 */
import { codes, type ErrorCode } from '../errors/codes.ts';
import { type FailureForm, failureForm } from './accept.ts';
import { type FailureFacts, failureHtml } from './failure-html.ts';
import type { FieldLine, FieldLines } from './field-line.ts';
import type { ResponseHead } from './message.ts';
import { proxyStatusValue } from './proxy-status.ts';

/** What a failure response says, besides what the code table holds. A GiraffeError is one. */
export interface Failure {
  readonly code: ErrorCode;
  /** Sent to the client for GIR_ERR_REQUEST_INVALID only, where it is about the client's own request. */
  readonly detail?: string | undefined;
  /** Message of an error: stands for `detail` when there is none. */
  readonly message?: string | undefined;
  /** Further field lines, each in place of ours with the same name. */
  readonly fields?: FieldLines | undefined;
}

/** The exchange that failed. */
export interface FailureContext {
  readonly requestId: string;
  /** Value of the request's Accept, its lines joined with commas; undefined when it had none. */
  readonly accept: string | undefined;
  /** Whether the request's method is HEAD: the response then has no body, but says how long it would be. */
  readonly isHead: boolean;
  /** Value of Retry-After in seconds, for 429 and 503 only. Default 1. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A whole response. `body` is empty for HEAD. */
export interface FailureResponse {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/**
 * Returns the response for a failure: a page, problem details or text, by Accept.
 *
 * The caller adds Connection, Date and whatever else its hop needs.
 *
 * @see RFC 9457 (Problem Details for HTTP APIs), RFC 9209 (Proxy-Status)
 */
export function failureResponse(failure: Failure, context: FailureContext): FailureResponse {
  const entry = codes[failure.code];
  const title = reasonPhrases.get(entry.status) ?? 'Error';
  const detail = failureDetail(failure);
  const form = failureForm(context.accept);
  const text = renderings[form]({ code: failure.code, entry, title, detail, requestId: context.requestId });
  const body = Buffer.from(text, 'utf8');
  const head: ResponseHead = {
    status: entry.status,
    reason: title,
    minorVersion: 1,
    fields: withFields(failureFields(failure.code, form, body.length, context), failure.fields ?? []),
    body: context.isHead ? { kind: 'none' } : { kind: 'length', lengthBytes: body.length },
  };
  return { head, body: context.isHead ? Buffer.alloc(0) : body };
}

const contentTypes: Record<FailureForm, string> = {
  html: 'text/html; charset=utf-8',
  json: 'application/problem+json',
  text: 'text/plain; charset=utf-8',
};

const renderings: Record<FailureForm, (facts: FailureFacts) => string> = {
  html: failureHtml,
  json: failureJson,
  text: failureText,
};

function failureFields(code: ErrorCode, form: FailureForm, lengthBytes: number, context: FailureContext): FieldLine[] {
  const { status } = codes[code];
  const fields: FieldLine[] = [
    ['Content-Type', contentTypes[form]],
    ['Content-Length', String(lengthBytes)],
    ['Cache-Control', 'no-store'],
    ['Vary', 'Accept'],
    ['X-Content-Type-Options', 'nosniff'],
  ];
  if (form === 'html') fields.push(['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"]);
  fields.push(['Proxy-Status', proxyStatusValue(code)], ['X-Request-Id', context.requestId]);
  if (status === 429 || status === 503) fields.push(['Retry-After', String(context.retryAfterSeconds ?? 1)]);
  return fields;
}

function withFields(ours: FieldLine[], further: FieldLines): FieldLine[] {
  if (further.length === 0) return ours;
  const replaced = new Set(further.map(([name]) => name.toLowerCase()));
  return [...ours.filter(([name]) => !replaced.has(name.toLowerCase())), ...further];
}

function failureJson({ code, entry, title, detail, requestId }: FailureFacts): string {
  const problem = {
    type: `urn:giraffe:error:${code}`,
    title,
    status: entry.status,
    detail: detail === undefined ? entry.summary : `${entry.summary} ${detail}`,
    code,
    requestId,
    side: entry.side,
    fix: entry.fix,
  };
  return `${JSON.stringify(problem)}\n`;
}

function failureText({ code, entry, title, detail, requestId }: FailureFacts): string {
  const lines = [
    `${entry.status} ${title}`,
    '',
    detail === undefined ? entry.summary : `${entry.summary} ${detail}`,
    '',
    `Side:       ${entry.side}`,
    `Next step:  ${entry.fix}`,
    `Code:       ${code}`,
    `Request id: ${requestId}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Returns what may be told about an invalid request, as a sentence. */
function failureDetail({ code, detail, message }: Failure): string | undefined {
  const text = detail ?? message ?? '';
  if (code !== 'GIR_ERR_REQUEST_INVALID' || text === '' || text === codes[code].summary) return undefined;
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}

// RFC 9110 section 15.5 and 15.6, RFC 6585 for 428 to 431; 499 is nginx's, and seen in logs only.
const reasonPhrases = new Map([
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [415, 'Unsupported Media Type'],
  [417, 'Expectation Failed'],
  [421, 'Misdirected Request'],
  [422, 'Unprocessable Content'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [499, 'Client Closed Request'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
]);
