import { createHash } from 'node:crypto';

/** Returns the SHA-256 of octets in hex: two bodies of many MiB are compared without printing them. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
