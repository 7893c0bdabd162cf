/**
 * Turns an answer that no agent is asked for into a response.
 */
import type { FixedAnswer } from '../extension/routing-strategy.ts';
import { isBodyless, type ResponseHead } from '../http/message.ts';

/** Returns the response to a request with this method. `body` is empty where there is none to send. */
export function fixedResponse(
  method: string,
  { status, fields, body }: FixedAnswer,
): { head: ResponseHead; body: Buffer } {
  const octets = Buffer.from(body);
  const hasLength = status >= 200 && status !== 204 && status !== 304;
  const hasBody = !isBodyless(method, status);
  const head: ResponseHead = {
    status,
    reason: '',
    minorVersion: 1,
    fields: [
      ['Date', new Date().toUTCString()],
      ...fields,
      ...(hasLength ? [['Content-Length', String(octets.length)] as const] : []),
    ],
    body: hasBody ? { kind: 'length', lengthBytes: octets.length } : { kind: 'none' },
  };
  return { head, body: hasBody ? octets : Buffer.alloc(0) };
}
