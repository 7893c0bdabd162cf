/**
 * The two sides of one client exchange, as the HTTP front and the dispatcher see each other.
 * Neither knows the other's classes, so either can be replaced.
 */
import type { ErrorCode } from '../errors/codes.ts';
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from '../http/field-line.ts';
import type { ClientFacts } from '../http/forwarding.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';

/** What the front knows about a request when its head has been read. */
export interface ClientRequest {
  readonly head: RequestHead;
  readonly facts: ClientFacts;
  /** The protocol the client wants to switch to; undefined for an ordinary request. */
  readonly upgrade: string | undefined;
}

/** How the dispatcher answers. After `end`, `fail` or `abort` nothing more is called. */
export interface Responder {
  /** Delivers an interim (1xx, not 101) response. */
  interim(head: ResponseHead): void;
  /** Delivers the final head. */
  head(head: ResponseHead): void;
  /** Delivers the 101; from now on data is raw in both directions, and `end` is the half-close of ours. */
  switchProtocols(head: ResponseHead): void;
  /** Delivers body octets. The front calls {@link ClientExchange.consumed} as they leave. */
  data(chunk: Buffer): void;
  end(trailers: FieldLines): void;
  /** Answers with a failure response; no head has been delivered before. */
  fail(error: GiraffeError, requestId: string): void;
  /** Takes the final head back when nothing of it has left yet, so that `fail` can answer; returns whether it did. */
  takeBackHead(): boolean;
  /** Breaks the transfer off, visibly for the client. */
  abort(): void;
  /** There is room for body octets again after {@link ClientExchange.body} returned false. */
  resume(): void;
}

/** One request on its way through the edge, as the front drives it. */
export interface ClientExchange {
  /** Takes body octets; false asks the front to pause until `resume`. */
  body(chunk: Buffer): boolean;
  /** The request body, or our client's direction of a relay, has ended. */
  bodyEnd(trailers: FieldLines): void;
  /** Octets given to {@link Responder.data} have left for the client. */
  consumed(bytes: number): void;
  /** The client is gone, or broke the rules of HTTP within its body (`error`). */
  clientFailed(error: GiraffeError): void;
}

/** Where the front hands requests in. */
export interface ExchangeOpener {
  open(request: ClientRequest, responder: Responder): ClientExchange;
  /** A request that could not even be read. It is answered and logged like any other. */
  reject(error: GiraffeError, facts: ClientFacts, responder: Responder): void;
  /** A connection is closed because of its client's silence; nobody is answered. */
  gaveUp(code: ErrorCode, facts: ClientFacts): void;
}
