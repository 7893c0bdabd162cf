/** What an agent tells of an exchange while it passes. Nobody waits for the tap, and it must not throw. */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from '../http/field-line.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';

/** What is known of an exchange when it begins. */
export interface ExchangeBeginning {
  readonly endpoint: string;
  /** Name of another target of that endpoint; undefined is its own. */
  readonly targetName: string | undefined;
  /** The origin, as text. */
  readonly target: string;
  /** Over which carrier it came; `local` for a replay, which comes over none. */
  readonly carrier: 'grpc' | 'tcp' | 'local';
  /** The head as the edge sent it. */
  readonly head: RequestHead;
  /** The protocols that the client wants to switch to; undefined for an ordinary exchange. */
  readonly upgrade: string | undefined;
  /** The exchange that this one repeats, if it is a replay. */
  readonly replayOf?: string | undefined;
}

/** Hears of one exchange. Chunks are only lent: what is kept must be copied. */
export interface ExchangeTap {
  onRequestBody(chunk: Buffer): void;
  onRequestEnd(trailers: FieldLines): void;
  /** A connection to the origin is there. May come again when a kept one turns out dead. */
  onConnected(isReused: boolean): void;
  /** The head as the origin sent it, 1xx or final. */
  onResponseHead(head: ResponseHead): void;
  onResponseBody(chunk: Buffer): void;
  onResponseEnd(trailers: FieldLines): void;
  /** Octets of a relay, after a 101. */
  onRelayed(direction: RelayDirection, chunk: Buffer): void;
  /** The end of it; `error` is undefined when it went well. */
  onFinished(error: GiraffeError | undefined): void;
}

/** Which way octets of a relay go. */
export type RelayDirection = 'toOrigin' | 'toClient';
