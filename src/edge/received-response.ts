/**
 * Checks what an agent sends as a response: the head, and that the body is as long as the head said. Pure.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { assertForwardableResponseHead } from '../http/field-validation.ts';
import type { ResponseHead } from '../http/message.ts';
import { decodeResponseHead } from '../protocol/head-codec.ts';
import type { PreparedRequest } from './prepared-request.ts';

/**
 * Reads the head of a response to a request.
 * @throws {GiraffeError} GIR_ERR_PROTOCOL when it is none, or none to this request.
 */
export function receivedResponseHead(payload: Buffer, isInterim: boolean, request: PreparedRequest): ResponseHead {
  const head = decodeResponseHead(payload);
  assertForwardableResponseHead(head, { method: request.head.method, isUpgrade: request.upgrade !== undefined });
  if (isInterim !== (head.status < 200 && head.status !== 101)) {
    throw new GiraffeError('GIR_ERR_PROTOCOL', `status ${head.status} in the wrong kind of head`);
  }
  return head;
}

/** Returns how many body octets may follow a head at most. */
export function maxBodyBytes(head: ResponseHead | undefined): number {
  if (head?.body.kind === 'length') return head.body.lengthBytes;
  return head?.body.kind === 'none' ? 0 : Number.POSITIVE_INFINITY;
}

/** Returns how many body octets must follow a head at least. */
export function minBodyBytes(head: ResponseHead | undefined): number {
  return head?.body.kind === 'length' ? head.body.lengthBytes : 0;
}
