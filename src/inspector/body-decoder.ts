/** Undoes content codings of captured bodies, also of beginnings, and never into more than a bound. */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** A decoded body. */
export interface DecodedBody {
  readonly bytes: Buffer;
  /** Codings that were undone, the last one applied first. */
  readonly decoded: readonly string[];
}

/** Octets of a decoded body at most. */
const maxDecodedBytes = 1024 * 1024;
/** Codings of one body that are undone at most. Nobody has use for more than two; each one more costs as much again. */
const maxCodings = 4;

/**
 * Undoes as many codings as it can.
 *
 * @param codings Value of Content-Encoding, lower case, in the order in which they were applied.
 * @see RFC 9110 section 8.4 (Content-Encoding)
 */
export async function decodeBody(bytes: Buffer, codings: readonly string[]): Promise<DecodedBody> {
  let current = bytes;
  const decoded: string[] = [];
  for (const coding of codings.slice(-maxCodings).reverse()) {
    if (coding === 'identity' || current.length === 0) continue;
    const next = await undone(current, coding);
    if (next === undefined) break;
    decoded.push(coding);
    current = next;
  }
  return { bytes: current, decoded };
}

async function undone(bytes: Buffer, coding: string): Promise<Buffer | undefined> {
  for (const decoder of decodersOf(coding)) {
    const text = await through(decoder, bytes);
    if (text !== undefined) return text;
  }
  return undefined;
}

function decodersOf(coding: string): Transform[] {
  const flush = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return [zlib.createGunzip(flush)];
    case 'deflate':
      // Some send it without the zlib header (RFC 9110 section 8.4.1.2, note).
      return [zlib.createInflate(flush), zlib.createInflateRaw(flush)];
    case 'br':
      return [zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH })];
    case 'zstd':
      return zstd();
    default:
      return [];
  }
}

/** Node 22.15 and newer have it. */
function zstd(): Transform[] {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return typeof create === 'function' ? [create() as Transform] : [];
}

/** Resolves with what comes out, up to the bound; undefined when nothing does but an error. */
function through(decoder: Transform, bytes: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    const end = (isOk: boolean): void => {
      resolve(isOk || length > 0 ? Buffer.concat(parts).subarray(0, maxDecodedBytes) : undefined);
      decoder.destroy();
    };
    decoder.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length >= maxDecodedBytes) end(true);
    });
    decoder.once('end', () => end(true));
    decoder.once('error', () => end(false));
    decoder.end(bytes);
  });
}
