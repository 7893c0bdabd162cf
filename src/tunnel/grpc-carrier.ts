/**
 * A carrier over one long-lived bidirectional gRPC call, for either end.
 */
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { encodeBatch } from '../protocol/batch-codec.ts';
import type { FrameBatch } from '../protocol/frame-batch.ts';
import { batchBuffers } from './batch-buffers.ts';
import type { Carrier, CarrierEvents } from './carrier.ts';
import { closeGraceMs } from './tls-carrier.ts';

/** What differs between the ends of a call. */
export interface GrpcCallEnd {
  readonly peer: string;
  /** The other end is authenticated. */
  admit(): void;
  /** Drops the call and its connection at once. */
  destroy(): void;
}

/** Wraps a Connect call. The carrier owns the call and its connection from now on. */
export function createGrpcCarrier(
  call: ServerDuplexStream<Buffer, Buffer> | ClientDuplexStream<Buffer, Buffer>,
  end: GrpcCallEnd,
): Carrier {
  return new GrpcCarrier(call, end);
}

class GrpcCarrier implements Carrier {
  readonly kind = 'grpc';
  readonly peer: string;
  readonly #call: ServerDuplexStream<Buffer, Buffer> | ClientDuplexStream<Buffer, Buffer>;
  readonly #end: GrpcCallEnd;
  #events: CarrierEvents | undefined;
  #isClosing = false;
  #isClosed = false;
  #isDropped = false;
  #graceTimer: NodeJS.Timeout | undefined;
  queuedBytes = 0;
  sentBytes = 0;
  receivedBytes = 0;

  constructor(call: ServerDuplexStream<Buffer, Buffer> | ClientDuplexStream<Buffer, Buffer>, end: GrpcCallEnd) {
    this.#call = call;
    this.#end = end;
    this.peer = end.peer;
  }

  start(events: CarrierEvents): void {
    this.#events = events;
    const call = this.#call;
    call.on('data', (frames: Buffer) => {
      if (this.#isClosed) return;
      this.receivedBytes += frames.length;
      events.onBytes(frames);
    });
    call.on('error', (error: Error) => {
      this.#closed(new GiraffeError('GIR_ERR_SESSION_LOST', error.message, { cause: error }));
      this.#drop();
    });
    call.on('cancelled', () => {
      this.#closed(new GiraffeError('GIR_ERR_SESSION_LOST', 'the call was cancelled'));
      // grpc-js says so, too, as soon as it has queued the status of a call that we have ended. To drop the connection
      // now would lose what is still on its way; the client drops it, or the grace ends.
      if (!this.#isClosing) this.#drop();
    });
    call.on('end', () => {
      call.end();
      this.#closed(undefined);
      this.#drop();
    });
  }

  send(batch: FrameBatch): void {
    if (this.#isClosing || this.#isClosed) return;
    const message = encodeBatch(batch, batchBuffers);
    this.queuedBytes += message.length;
    this.sentBytes += message.length;
    this.#call.write(message, () => {
      this.queuedBytes -= message.length;
      if (this.#isClosed) return;
      batchBuffers.release(message);
      this.#events?.onWritable();
    });
  }

  admit(): void {
    this.#end.admit();
  }

  close(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isClosing = true;
    this.#call.end();
    this.#graceTimer = setTimeout(() => this.destroy(), closeGraceMs).unref();
  }

  destroy(): void {
    this.#closed(undefined);
    this.#drop();
  }

  #closed(error: GiraffeError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.onClose(this.#isClosing ? undefined : error);
  }

  #drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    clearTimeout(this.#graceTimer);
    this.#end.destroy();
  }
}
