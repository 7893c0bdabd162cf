/**
 * Stands in for the stream to the edge when a recorded request is sent again: gives the request, and throws the answer
 * away, which the tap has seen.
 */
import type { OutboundStream } from '../protocol/outbound-queue.ts';
import { ignoringSink, type StreamSink } from '../tunnel/stream.ts';
import type { ExchangeStream } from './exchange-stream.ts';

/** The stream of a replay. */
export class ReplayStream implements ExchangeStream {
  readonly hasRoomForHead = true;
  sink: StreamSink = ignoringSink;

  /** Only relays look into the queue of their stream, and an upgrade is not replayed. */
  get outbound(): OutboundStream {
    throw new Error('a replay has no queue');
  }

  sendHead(): void {}

  sendData(): boolean {
    return true;
  }

  sendEnd(): void {}
  consumed(): void {}
  grant(): void {}
  reset(): void {}
}
