/** Writes what the API refuses as problem details (RFC 9457). */
import { codes, type ErrorCode } from '../errors/codes.ts';

/** Returns the response for an error code. @param detail What is particular to this case, fit for whoever asked. */
export function problemResponse(code: ErrorCode, detail?: string): Response {
  const { status, summary, fix, side } = codes[code];
  const headers = new Headers({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' });
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer realm="giraffe management API"');
  const body = { type: 'about:blank', title: summary, status, detail, code, side, fix };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}
