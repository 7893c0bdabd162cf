/**
 * Heads as they are kept: each is one string.
 *
 * Of the hundreds that are kept, V8 copies all with each collection of its young generation: one string costs it far less
 * than dozens of small objects, arrays and slices.
 */
import type { FieldLine, FieldLines } from '../http/field-line.ts';
import type { BodyFraming, RequestHead, ResponseHead } from '../http/message.ts';

/** Keeps the head of a request, and the endpoint that it came to. */
export function keepRequest(endpoint: string, head: RequestHead): string {
  return keep(`${endpoint}\n${head.method}\n${head.target}`, head);
}

/** Makes them again. */
export function keptRequest(text: string): { readonly endpoint: string; readonly head: RequestHead } {
  const [endpoint = '', method = '', target = '', ...rest] = text.split('\n');
  return { endpoint, head: { method, target, ...read(rest) } };
}

/** Keeps the head of a response. */
export function keepResponse(head: ResponseHead): string {
  return keep(`${head.status}\n${head.reason}`, head);
}

/** Makes it again. */
export function keptResponse(text: string): ResponseHead {
  const [status, reason = '', ...rest] = text.split('\n');
  return { status: Number(status), reason, ...read(rest) };
}

/** A line for each thing, and two for each field: nothing in a head has a line feed. */
function keep(start: string, { minorVersion, body, fields }: RequestHead | ResponseHead): string {
  const framing = body.kind === 'length' ? body.lengthBytes : body.kind;
  return flat(`${start}\n${minorVersion}\n${framing}${linesOf(fields)}`);
}

function read([minorVersion, framing = '', ...lines]: readonly string[]): Omit<ResponseHead, 'status' | 'reason'> {
  const fields: FieldLine[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) fields.push([lines[at] ?? '', lines[at + 1] ?? '']);
  return { minorVersion: minorVersion === '0' ? 0 : 1, body: bodyFraming(framing), fields };
}

function bodyFraming(text: string): BodyFraming {
  if (text === 'none' || text === 'chunked' || text === 'until-close') return { kind: text };
  return { kind: 'length', lengthBytes: Number(text) };
}

function linesOf(fields: FieldLines): string {
  let text = '';
  for (const [name, value] of fields) text += `\n${name}\n${value}`;
  return text;
}

/** V8 puts a text together only when somebody looks into it, and until then keeps all of its pieces. */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}
