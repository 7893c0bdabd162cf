/** Writes the request that a load repeats, once. Pure. */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLine, FieldLines } from '../http/field-line.ts';
import { isToken } from '../http/head-syntax.ts';

/** What a request is made of. */
export interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** Lines of the user's; one named Host replaces the authority. */
  readonly fields: FieldLines;
  /** Octets of the body; 0 sends none. */
  readonly bodyBytes: number;
  readonly keepAlive: boolean;
}

/** A request ready to be sent. */
export interface RequestTemplate {
  readonly method: string;
  /** Head, and the body too where that is small. */
  readonly start: Buffer;
  /** Octets of the body that are not in `start`. */
  readonly restBytes: number;
}

/** A body up to this is sent in one write with its head, in octets. */
const smallBodyBytes = 64 * 1024;

/** What bodies are made of; sent in pieces of this. */
export const bodyPiece: Buffer = Buffer.alloc(smallBodyBytes, 'giraffe ');

/** Returns the request. */
export function requestTemplate(options: RequestOptions): RequestTemplate {
  const { method, bodyBytes } = options;
  const head = Buffer.from(headText(options), 'latin1');
  const isSmall = bodyBytes <= smallBodyBytes;
  return {
    method,
    start: isSmall ? Buffer.concat([head, bodyPiece.subarray(0, bodyBytes)]) : head,
    restBytes: isSmall ? 0 : bodyBytes,
  };
}

function headText({ method, path, authority, fields, bodyBytes, keepAlive }: RequestOptions): string {
  const own = new Set(fields.map(([name]) => name.toLowerCase()));
  const usual: FieldLine[] = [
    ['Host', authority],
    ['User-Agent', 'giraffe-bench'],
    ['Accept', '*/*'],
  ];
  const lines = [...usual.filter(([name]) => !own.has(name.toLowerCase())), ...fields];
  if (0 < bodyBytes) lines.push(['Content-Length', String(bodyBytes)]);
  if (!keepAlive) lines.push(['Connection', 'close']);
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** Fields that frame the message; the generator writes them itself. */
const framing = new Set(['content-length', 'transfer-encoding', 'connection', 'expect', 'upgrade', 'te', 'trailer']);

/**
 * Parses a header line as curl takes it: `Name: value`.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE; the message does not hold the value, which may be a secret.
 */
export function parseHeader(text: string): FieldLine {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon)).trim();
  const value = text.slice(colon + 1).trim();
  if (colon === -1 || !isToken(name)) throw new GiraffeError('GIR_ERR_USAGE', "--header takes 'Name: value' or @FILE");
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new GiraffeError('GIR_ERR_USAGE', `--header ${name} holds a character that no header may have`);
  }
  if (framing.has(name.toLowerCase())) {
    throw new GiraffeError(
      'GIR_ERR_USAGE',
      `--header ${name} would change how requests are framed; it is set by others`,
    );
  }
  return [name, value];
}
