/**
 * What the inspector's API says of exchanges, as JSON: the form that its pages, HAR and curl exports are made from.
 *
 * Text of heads is latin1, one character per octet. Times are milliseconds, sizes octets.
 */
import type { FieldLines } from '../http/field-line.ts';
import type { RelayDirection } from './exchange-tap.ts';

/** One line of the list. */
export interface ExchangeSummary {
  readonly id: string;
  /** Grows with everything new about the exchange. */
  readonly revision: number;
  readonly startedAt: string;
  readonly endpoint: string;
  /** The origin. */
  readonly target: string;
  readonly carrier: 'grpc' | 'tcp' | 'local';
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Undefined while no final head has come, and when none came. */
  readonly status: number | undefined;
  /** Why it failed. */
  readonly code: string | undefined;
  /** What the edge answers for `code` when no head came; undefined when the client had left. */
  readonly failureStatus: number | undefined;
  readonly isLive: boolean;
  /** So far, while it is live. */
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Of the response. */
  readonly contentType: string | undefined;
  /** The protocol after a 101, in lower case. */
  readonly protocol: string | undefined;
  /** Messages of a WebSocket so far. */
  readonly messageCount: number | undefined;
  /** The exchange that this one repeats. */
  readonly replayOf: string | undefined;
}

/** A body, as much as is kept of it. */
export interface BodyView {
  readonly totalBytes: number;
  readonly capturedBytes: number;
  /** Whether more passed than is kept. */
  readonly isTruncated: boolean;
  /** Content codings that were undone; what is left of them stands in the head alone. */
  readonly decoded: readonly string[];
  /** What is kept, decoded. */
  readonly base64: string;
}

/** One of the two messages of an exchange. */
export interface MessagePart {
  readonly fields: FieldLines;
  readonly trailers: FieldLines;
  /** Undefined when nothing of one passed. */
  readonly body: BodyView | undefined;
}

/** Everything about one exchange but the messages of its WebSocket. */
export interface ExchangeDetail extends ExchangeSummary {
  readonly httpVersion: '1.0' | '1.1';
  /** As the client sent it, as far as the edge tells. */
  readonly url: string;
  readonly remoteAddress: string | undefined;
  readonly upgrade: string | undefined;
  /** What was seen of the failure. */
  readonly detail: string | undefined;
  readonly times: {
    readonly connectedMs: number | undefined;
    readonly requestEndMs: number | undefined;
    readonly headMs: number | undefined;
    readonly endMs: number | undefined;
  };
  /** Whether the connection to the origin had served before. */
  readonly isReused: boolean;
  /** Statuses of interim answers. */
  readonly interim: readonly number[];
  readonly request: MessagePart;
  readonly response: (MessagePart & { readonly status: number; readonly reason: string }) | undefined;
  /** Whether the octets after a 101 turned out to be no WebSocket frames. */
  readonly isBroken: boolean;
  /** Whether secrets are masked in this view. */
  readonly isMasked: boolean;
}

/** One message, or control frame, of a WebSocket. */
export interface MessageView {
  readonly number: number;
  readonly direction: RelayDirection;
  readonly kind: 'text' | 'binary' | 'close' | 'ping' | 'pong';
  /** Since the exchange began. */
  readonly atMs: number;
  /** On the wire. */
  readonly bytes: number;
  readonly isTruncated: boolean;
  /** Whether it could not be inflated. */
  readonly isCompressed: boolean;
  /** Undefined where it is no text. */
  readonly text: string | undefined;
  readonly base64: string | undefined;
}

/** One event of the live list. The first one holds everything that is kept. */
export interface ExchangeListEvent {
  /** Whether what was known before is to be forgotten. */
  readonly isWhole: boolean;
  readonly changed: readonly ExchangeSummary[];
  readonly dropped: readonly string[];
}
