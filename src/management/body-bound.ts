/**
 * Decides how large the body of a request to an API may be: it must say so before anything of it is read, since JSON is
 * read whole.
 */
import type { MiddlewareHandler } from 'hono';
import { problemResponse } from './problem.ts';

/** Refuses bodies of more than `maxBytes`, and those that do not tell how large they are (RFC 9110 section 8.6). */
export function boundedBodies(maxBytes: number): MiddlewareHandler {
  return async ({ req }, next) => {
    if (req.header('transfer-encoding') !== undefined) {
      return problemResponse('GIR_ERR_API_BODY', 'it has no Content-Length');
    }
    if (Number(req.header('content-length') ?? 0) > maxBytes) {
      return problemResponse('GIR_ERR_API_BODY_TOO_LARGE', `it has more than ${maxBytes} octets`);
    }
    await next();
    return undefined;
  };
}
