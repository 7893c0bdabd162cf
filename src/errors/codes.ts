/**
 * The one table of everything that can go wrong.
 *
 * A code is stable and never reused. It decides the HTTP status and the
 * Proxy-Status error (RFC 9209 section 2.3) a client sees, the exit status of a
 * command, whether the edge may try another session, and what to do next.
 *
 * The table is put together from one file for each area, in codes/.
 */
import type { CodeEntry } from './code-entry.ts';
import { apiCodes } from './codes/api-codes.ts';
import { commandCodes } from './codes/command-codes.ts';
import { edgeCodes } from './codes/edge-codes.ts';
import { originCodes } from './codes/origin-codes.ts';
import { requestCodes } from './codes/request-codes.ts';
import { tunnelCodes } from './codes/tunnel-codes.ts';

/** Every code giraffe can report. */
export const codes = {
  ...requestCodes,
  ...edgeCodes,
  ...originCodes,
  ...tunnelCodes,
  ...apiCodes,
  ...commandCodes,
} satisfies Record<string, CodeEntry>;

/** Name of one entry of the table. */
export type ErrorCode = keyof typeof codes;

/** Tells whether a text, for example from the wire, is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(codes, text);
}
