/** Finds out how a body can be shown. Pure. */
import { base64Bytes } from '../../src/inspector/base64-bytes.ts';

/** A way to show a body. */
export type BodyMode = 'pretty' | 'form' | 'image' | 'text' | 'hex';

/** What is known of a body. */
export interface BodyContent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Without parameters, lower case. */
  readonly mediaType: string;
  /** Undefined where the octets are no text. */
  readonly text: string | undefined;
  /** Undefined where it is no JSON. */
  readonly json: unknown;
  /** Ways to show it, the best one first. */
  readonly modes: readonly BodyMode[];
}

/** Octets that are shown as hexadecimal. */
const maxHexBytes = 4096;
const bytesPerLine = 16;
/** Control characters that say nothing to people; text of a protocol may have them, and octets that are none happen to. */
const controls = /[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** Reads a body. @param contentType Value of Content-Type. */
export function contentOf(base64: string, contentType: string): BodyContent {
  const bytes = base64Bytes(base64);
  const [mediaType = ''] = contentType.toLowerCase().split(';');
  const charset = /charset="?([^";]+)/i.exec(contentType)?.[1];
  const text = textOf(bytes, charset);
  const json = jsonOf(text, mediaType.trim());
  const modes: BodyMode[] = [];
  if (mediaType.startsWith('image/')) modes.push('image');
  if (json !== undefined) modes.push('pretty');
  if (mediaType.trim() === 'application/x-www-form-urlencoded' && text !== undefined) modes.push('form');
  if (text !== undefined && !controls.test(text)) modes.push('text');
  modes.push('hex');
  if (text !== undefined && controls.test(text)) modes.push('text');
  return { bytes, mediaType: mediaType.trim(), text, json, modes };
}

/** Octets as a hexadecimal dump: offset, octets, characters. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, maxHexBytes); at += bytesPerLine) {
    const line = [...bytes.subarray(at, at + bytesPerLine)];
    const octets = line.map((octet) => octet.toString(16).padStart(2, '0')).join(' ');
    const characters = line.map((octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${octets.padEnd(bytesPerLine * 3 - 1)}  ${characters}`);
  }
  if (bytes.length > maxHexBytes) lines.push(`… ${bytes.length - maxHexBytes} more octets`);
  return lines.join('\n');
}

/** One piece of pretty JSON with the class of its colour. */
export interface JsonToken {
  readonly text: string;
  readonly tone: 'key' | 'string' | 'number' | 'word' | undefined;
}

/** Returns JSON with line breaks, cut into pieces of one colour each. */
export function jsonTokens(value: unknown): readonly JsonToken[] {
  const pretty = JSON.stringify(value, undefined, 2);
  const tokens: JsonToken[] = [];
  let end = 0;
  for (const match of pretty.matchAll(/("(?:[^"\\]|\\.)*")(:?)|-?\d[\d.eE+-]*|true|false|null/g)) {
    if (match.index > end) tokens.push({ text: pretty.slice(end, match.index), tone: undefined });
    const [whole, string, colon] = match;
    end = match.index + (string ?? whole).length;
    if (string === undefined) tokens.push({ text: whole, tone: /^[tfn]/.test(whole) ? 'word' : 'number' });
    else tokens.push({ text: string, tone: colon === ':' ? 'key' : 'string' });
  }
  if (end < pretty.length) tokens.push({ text: pretty.slice(end), tone: undefined });
  return tokens;
}

/** A beginning may end within a character; anything else that is no text is none. */
function textOf(bytes: Uint8Array<ArrayBuffer>, charset = 'utf-8'): string | undefined {
  try {
    const text = new TextDecoder(charset, { fatal: true }).decode(bytes, { stream: true });
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function jsonOf(text: string | undefined, mediaType: string): unknown {
  if (text === undefined || !(/[/+]json$/.test(mediaType) || /^\s*[[{]/.test(text))) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
