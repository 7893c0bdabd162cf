/**
 * Reads from a response head how long its connection may be used again.
 */
import { fieldValues, listMembers } from '../http/field-line.ts';
import type { ResponseHead } from '../http/message.ts';

/** Without a hint an idle connection is trusted this long, in milliseconds: no common server closes sooner. */
export const trustedIdleMs = 1000;
/** No idle connection is kept longer, in milliseconds, whatever the origin promises. */
const maxIdleMs = 4000;
/** What is left of a promised time when we stop trusting it, in milliseconds: our request takes time to arrive. */
const marginMs = 1000;

/**
 * Returns for how long a connection may be idle and still be used again, in milliseconds; 0 for not at all.
 *
 * @see RFC 9112 section 9.3 (Persistence)
 */
export function keepAliveMs(head: ResponseHead): number {
  const options = listMembers(head.fields, 'connection');
  if (options.includes('close') || (head.minorVersion === 0 && !options.includes('keep-alive'))) return 0;
  let idleMs = trustedIdleMs;
  for (const value of fieldValues(head.fields, 'keep-alive')) {
    const seconds = /(?:^|[,;\s])timeout=([0-9]{1,9})/i.exec(value)?.[1];
    if (seconds !== undefined) idleMs = Math.max(0, Math.min(Number(seconds) * 1000 - marginMs, maxIdleMs));
  }
  return idleMs;
}
