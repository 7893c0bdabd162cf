/**
 * Whether an HTTP/1.1 connection outlives an exchange, and what Connection says about it (RFC 9112 section 9.3). Pure.
 */
import { fieldValues, listMembers } from './field-line.ts';
import type { RequestHead, ResponseHead } from './message.ts';

/** Says whether the client wants to keep the connection. Not after CONNECT: what follows it was meant for somebody else. */
export function isPersistent(head: RequestHead): boolean {
  if (head.method === 'CONNECT') return false;
  const options = listMembers(head.fields, 'connection');
  if (options.includes('close')) return false;
  return head.minorVersion === 1 || options.includes('keep-alive');
}

/** Returns what Connection says of ours; undefined for what a client of that minor version takes for granted. */
export function persistenceOption(keepsAlive: boolean, clientMinorVersion: 0 | 1 | undefined): string | undefined {
  if (!keepsAlive) return 'close';
  return clientMinorVersion === 0 ? 'keep-alive' : undefined;
}

/** Returns the value of Connection: who sends Upgrade, as a 426 does, names it there (RFC 9110 section 7.8). */
export function connectionValue({ status, fields }: ResponseHead, persistence: string | undefined): string | undefined {
  if (status !== 426 || fieldValues(fields, 'upgrade').length === 0) return persistence;
  return persistence === undefined ? 'Upgrade' : `${persistence}, Upgrade`;
}
