/**
 * Writes a recorded request as a curl command for a POSIX shell. Pure; it runs in browsers too.
 *
 * What the edge added is left out: it will be added again.
 */
import { base64Bytes } from './base64-bytes.ts';
import type { BodyView, ExchangeDetail } from './exchange-view.ts';

/** Fields that the edge adds, or that curl makes itself. */
const leftOut =
  /^(?:host|content-length|transfer-encoding|connection|upgrade|te|expect|via|forwarded|x-forwarded-.*|x-request-id)$/i;

/** Returns the command, one option per line. */
export function curlCommand(exchange: ExchangeDetail): string {
  const { method, url, request, upgrade, path } = exchange;
  const words = [`curl ${quoted(url)}`];
  const hasBody = request.body !== undefined;
  if (method === 'HEAD') words.push('--head');
  else if (method !== (hasBody ? 'POST' : 'GET')) words.push(`--request ${quoted(method)}`);
  if (path === '*') words.push("--request-target '*'");
  if (/[[\]{}]/.test(url)) words.push('--globoff');
  if (/\/\.{1,2}(?:[/?]|$)/.test(path)) words.push('--path-as-is');
  for (const [name, value] of request.fields) words.push(...fieldOption(name, value, request.body));
  if (upgrade !== undefined) {
    words.push(
      '--http1.1',
      '--no-buffer',
      "--header 'Connection: Upgrade'",
      `--header ${quoted(`Upgrade: ${upgrade}`)}`,
    );
  }
  const { before, option } = bodyOption(request.body);
  return before + [...words, ...option].join(' \\\n  ');
}

function fieldOption(name: string, value: string, body: BodyView | undefined): string[] {
  if (leftOut.test(name)) return [];
  if (/^accept-encoding$/i.test(name)) return ['--compressed'];
  if (/^content-encoding$/i.test(name) && body !== undefined && body.decoded.length > 0) return [];
  // curl takes `Name:` as an order to leave the field out, and `Name;` as one without value.
  return [`--header ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`];
}

function bodyOption(body: BodyView | undefined): { before: string; option: string[] } {
  if (body === undefined) return { before: '', option: [] };
  const before = body.isTruncated
    ? `# only the first ${body.capturedBytes} of ${body.totalBytes} octets of the body are here\n`
    : '';
  const text = textOf(body.base64);
  if (text !== undefined) return { before, option: [`--data-raw ${quoted(text)}`] };
  return { before: `${before}printf %s ${quoted(body.base64)} | base64 -d | `, option: ['--data-binary @-'] };
}

/**
 * Control characters but tab and line feed. A terminal into which the command is pasted takes them for keys: Ctrl-C in a
 * body would end the command there, and what follows would be commands of whoever sent the body.
 */
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** Returns a body as text that can stand in an argument; undefined when it cannot. */
function textOf(base64: string): string | undefined {
  const bytes = base64Bytes(base64);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return controls.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
