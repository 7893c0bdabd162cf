/**
 * Writes the fields by which clients see their quota.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11 (RateLimit header fields for HTTP)
 */
import type { FieldLine } from '../../http/field-line.ts';
import type { TokenBucket } from './token-bucket.ts';

/** Names of our quota policies, as clients see them. */
export type QuotaName = 'tunnel' | 'client' | 'edge';

/** Returns RateLimit-Policy and RateLimit for the state of some buckets, as of their last `take`. */
export function rateLimitFields(quotas: readonly (readonly [QuotaName, TokenBucket])[]): FieldLine[] {
  if (quotas.length === 0) return [];
  const policies: string[] = [];
  const states: string[] = [];
  for (const [name, bucket] of quotas) {
    policies.push(`"${name}";q=${bucket.capacity};w=${seconds(bucket.windowMs)}`);
    states.push(`"${name}";r=${bucket.tokens};t=${seconds(bucket.fullInMs)}`);
  }
  return [
    ['RateLimit-Policy', policies.join(', ')],
    ['RateLimit', states.join(', ')],
  ];
}

/** Whole seconds, rounded up: who waits as long as it is told does not come too early. */
export function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
