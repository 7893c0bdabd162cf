/**
 * What moves batches of frames between the two ends, and knows nothing of them:
 * a long-lived gRPC stream or a TLS connection.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { FrameBatch } from '../protocol/frame-batch.ts';

/** The two ways to carry a session's frames. */
export type CarrierKind = 'grpc' | 'tls';

/** Receives what happens on a carrier. Exactly one `onClose` comes, and nothing after it. */
export interface CarrierEvents {
  /** Octets arrived. Frame limits and carrier units need not match. */
  onBytes(chunk: Buffer): void;
  /** Octets left; {@link Carrier.queuedBytes} has fallen. */
  onWritable(): void;
  /** The carrier is gone; `error` is undefined when either end closed it in order. */
  onClose(error: GiraffeError | undefined): void;
}

/** One connection or stream between edge and agent. */
export interface Carrier {
  readonly kind: CarrierKind;
  /** Address of the other end, for logs. */
  readonly peer: string;
  /** Octets accepted by {@link send} and not yet handed to the system. */
  readonly queuedBytes: number;
  /** Octets sent and received over the carrier's life. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Starts delivery of events. Called once. */
  start(events: CarrierEvents): void;
  /** Takes a batch. The caller bounds what it queues by {@link queuedBytes}. */
  send(batch: FrameBatch): void;
  /** The other end is authenticated: limits and deadlines meant for strangers no longer apply. */
  admit(): void;
  /** Ends the carrier once what is queued has left. */
  close(): void;
  /** Ends the carrier now. */
  destroy(): void;
}
