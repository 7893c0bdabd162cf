/**
 * Where the key of JSON Web Tokens comes from: a key set at an address, or a file.
 */
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { JSONWebKeySet, JWK, JWTVerifyGetKey } from 'jose';
import { KeySet, type KeySetContext } from './key-set.ts';

/** Where to look for the key. */
export type KeySource =
  | { readonly kind: 'jwks'; readonly url: URL }
  | { readonly kind: 'key'; readonly path: string }
  | { readonly kind: 'secret'; readonly path: string };

/** RFC 7518 section 3.2 asks for as many octets as the hash has; HS256 has the shortest. */
const minSecretBytes = 32;

/**
 * Returns what jose asks for the key of a token.
 *
 * @throws When a file cannot be read or holds no key. The message quotes nothing of it.
 */
export async function loadKey(source: KeySource, context: KeySetContext): Promise<JWTVerifyGetKey> {
  if (source.kind === 'jwks') return new KeySet(source.url, context).find;
  const { createLocalJWKSet } = await import('jose');
  const content = await readFile(source.path);
  if (source.kind === 'secret') {
    const secret = Uint8Array.from(trimmed(content));
    if (secret.length < minSecretBytes) throw new Error(`${source.path} holds less than ${minSecretBytes} bytes`);
    return async () => secret;
  }
  const text = content.toString('utf8').trim();
  if (text.startsWith('{')) return createLocalJWKSet(keySetOf(text, source.path));
  try {
    const key = createPublicKey(text);
    return async () => key;
  } catch {
    throw new Error(`${source.path} holds no public key: PEM, a JWK or a JWKS`);
  }
}

/** Without the line end that editors add. */
function trimmed(content: Buffer): Buffer {
  let end = content.length;
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d)) end -= 1;
  return content.subarray(0, end);
}

function keySetOf(text: string, path: string): JSONWebKeySet {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON`);
  }
  const isSet = typeof json === 'object' && json !== null && 'keys' in json;
  return isSet ? (json as JSONWebKeySet) : { keys: [json as JWK] };
}
