/**
 * The grammar that request heads, response heads and trailer sections share: clean octets and field lines.
 *
 * Works on text whose lines all end in CRLF, one character per octet. It does not know what any field means.
 */
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLine } from './field-line.ts';

/** Bounds of one head; the trailer section of the same message has the same bounds. */
export interface HeadLimits {
  /** Octets from the first one of the start line to the end of the empty line. */
  readonly maxHeadBytes: number;
  /** Field lines, a count. */
  readonly maxFieldLines: number;
}

/** Limits for requests unless the owner sets others: 64 KiB, 256 lines. */
export const defaultRequestLimits: HeadLimits = { maxHeadBytes: 64 * 1024, maxFieldLines: 256 };

/** Limits for responses unless the owner sets others: 256 KiB, 1024 lines. */
export const defaultResponseLimits: HeadLimits = { maxHeadBytes: 256 * 1024, maxFieldLines: 1024 };

/** Which codes a broken rule and an exceeded limit have on one side of giraffe. */
export interface SyntaxCodes {
  readonly invalid: ErrorCode;
  readonly tooLarge: ErrorCode;
}

// A control octet other than HTAB, a CR that no LF follows (at the very end it may still come), or a LF without its CR.
const uncleanOctet = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|$)|(?<!\r)\n/;

// The whole of a clean section. Tried first: anchored, it runs several times faster than the search above.
const cleanSection = /^(?:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;

/**
 * Checks a piece of a section for octets that no line of it may have. A CR at the end is let pass: more may follow.
 *
 * @throws `code` for a bare CR, a bare LF, NUL or another control character.
 * @see RFC 9112 section 2.2 (Message Parsing)
 */
export function assertCleanText(text: string, code: ErrorCode): void {
  if (cleanSection.test(text)) return;
  const at = text.search(uncleanOctet);
  if (at === -1) return;
  const octet = text.charCodeAt(at);
  if (octet === lf) throw new GiraffeError(code, 'a line ends with a bare LF');
  if (octet === cr) throw new GiraffeError(code, 'a CR is not followed by LF');
  throw new GiraffeError(code, `a head or trailer section contains the control character 0x${hexOctet(octet)}`);
}

/** Says whether a text is a token: at least one character, and only those of RFC 9110 section 5.6.2 (Tokens). */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (isTokenOctet[text.charCodeAt(at)] !== 1) return false;
  }
  return text !== '';
}

/**
 * Parses field lines from `from` to the end of `text`.
 *
 * @param text Passed {@link assertCleanText} and ends in CRLF, or is empty from `from` on.
 * @throws `codes.invalid` for obs-fold, white space before the colon, and names that are empty or no token;
 *   `codes.tooLarge` for more than `maxFieldLines` lines.
 * @see RFC 9112 section 5 (Field Syntax)
 */
export function parseFieldLines(text: string, from: number, maxFieldLines: number, codes: SyntaxCodes): FieldLine[] {
  const fields: FieldLine[] = [];
  let at = from;
  while (at < text.length) {
    if (fields.length === maxFieldLines) throw tooManyLines(maxFieldLines, codes.tooLarge);
    const end = text.indexOf('\r', at);
    const colonAt = tokenEnd(text, at);
    if (colonAt === at || text.charCodeAt(colonAt) !== colon) {
      throw new GiraffeError(codes.invalid, brokenNameRule(text, at, colonAt));
    }
    fields.push([text.slice(at, colonAt), trimmedSlice(text, colonAt + 1, end)]);
    at = end + 2;
  }
  return fields;
}

/** The error for a section of more field lines than allowed. */
export function tooManyLines(maxFieldLines: number, code: ErrorCode): GiraffeError {
  return new GiraffeError(code, `more than ${maxFieldLines} field lines`);
}

/** Octet values that the parsers look for. */
export const cr = 0x0d;
export const lf = 0x0a;
export const space = 0x20;
export const tab = 0x09;
const colon = 0x3a;

// 1 for each octet that a token may contain.
const isTokenOctet = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  isTokenOctet[char.charCodeAt(0)] = 1;
}

/** Returns the index behind the token characters that begin at `from`. */
export function tokenEnd(text: string, from: number): number {
  let at = from;
  while (isTokenOctet[text.charCodeAt(at)] === 1) at += 1;
  return at;
}

/** Returns the text between two indexes without spaces and tabs at either end. */
function trimmedSlice(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(octet: number): boolean {
  return octet === space || octet === tab;
}

function brokenNameRule(text: string, from: number, stop: number): string {
  const octet = text.charCodeAt(stop);
  if (stop === from && isBlank(octet)) return 'a field line begins with white space (obs-fold)';
  if (isBlank(octet)) return 'white space between a field name and its colon';
  if (octet === cr) return 'a field line without a colon';
  if (octet === colon) return 'a field line without a name';
  return `a field name contains the octet 0x${hexOctet(octet)}, which no token has`;
}

function hexOctet(octet: number): string {
  return octet.toString(16).padStart(2, '0');
}
