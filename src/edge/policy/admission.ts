/**
 * What a policy says about one request, and what it does for it afterwards.
 */
import type { GiraffeError } from '../../errors/giraffe-error.ts';
import type { RoutingRequest } from '../../extension/routing-strategy.ts';
import type { FieldLines } from '../../http/field-line.ts';
import type { RequestHead, ResponseHead } from '../../http/message.ts';

/** What a policy looks at. */
export interface PolicyRequest {
  readonly routing: RoutingRequest;
  /** Octets that the request announces; 0 when it does not say. */
  readonly announcedBytes: number;
}

/** The word about one request. */
export type Verdict =
  | { readonly kind: 'admitted'; readonly admission: Admission }
  | { readonly kind: 'refused'; readonly error: GiraffeError }
  /** The edge answers by itself, with 204. */
  | { readonly kind: 'answered'; readonly fields: FieldLines };

/** One admitted request under its policy. {@link ended} is called exactly once. */
export interface Admission {
  /** Largest body, in octets; infinity for any. */
  readonly maxBodyBytes: number;
  /** Time to the response head, in milliseconds; undefined is the edge's own. */
  readonly requestTimeoutMs: number | undefined;
  /** Time without an octet behind the response head, in milliseconds; undefined is for ever. */
  readonly idleTimeoutMs: number | undefined;
  /** Returns the head as the agent gets it. */
  requestHead(head: RequestHead): RequestHead;
  /** Returns the final head as the client gets it. */
  responseHead(head: ResponseHead): ResponseHead;
  /** The origin has answered with this final status. */
  answered(status: number): void;
  /** The exchange is over; `error` is why it failed. */
  ended(error: GiraffeError | undefined): void;
}

/** The admission where there is no policy. */
export const freeAdmission: Admission = {
  maxBodyBytes: Number.POSITIVE_INFINITY,
  requestTimeoutMs: undefined,
  idleTimeoutMs: undefined,
  requestHead: (head) => head,
  responseHead: (head) => head,
  answered: () => {},
  ended: () => {},
};

/** The word where there is no policy. */
export const free: Verdict = { kind: 'admitted', admission: freeAdmission };
