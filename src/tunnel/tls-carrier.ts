/**
 * A carrier over one TLS connection: frames follow each other directly.
 */
import type { TLSSocket } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { peerText } from '../http/forwarded.ts';
import type { FrameBatch } from '../protocol/frame-batch.ts';
import { batchBuffers } from './batch-buffers.ts';
import type { Carrier, CarrierEvents } from './carrier.ts';

/** After {@link Carrier.close}, the other end has this long to close too, in milliseconds. */
export const closeGraceMs = 1000;

/**
 * Wraps a connected TLS socket. The carrier owns the socket from now on.
 * @param onAdmitted Called when the other end is authenticated.
 */
export function createTlsCarrier(socket: TLSSocket, onAdmitted: () => void = () => {}): Carrier {
  return new TlsCarrier(socket, onAdmitted);
}

class TlsCarrier implements Carrier {
  readonly kind = 'tls';
  readonly peer: string;
  readonly #socket: TLSSocket;
  readonly #onAdmitted: () => void;
  #events: CarrierEvents | undefined;
  #failure: GiraffeError | undefined;
  #isClosing = false;
  #isClosed = false;
  #graceTimer: NodeJS.Timeout | undefined;
  queuedBytes = 0;
  sentBytes = 0;
  receivedBytes = 0;

  constructor(socket: TLSSocket, onAdmitted: () => void) {
    this.#socket = socket;
    this.#onAdmitted = onAdmitted;
    this.peer = peerText(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
  }

  start(events: CarrierEvents): void {
    const socket = this.#socket;
    this.#events = events;
    socket.on('error', (error) => {
      this.#failure = new GiraffeError('GIR_ERR_SESSION_LOST', error.message, { cause: error });
    });
    socket.on('close', () => this.#closed());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      events.onBytes(chunk);
    });
    // Its 'close' may have come already.
    if (socket.destroyed) queueMicrotask(() => this.#closed());
  }

  send(batch: FrameBatch): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    const bytes = batch.encode(0, batchBuffers);
    this.queuedBytes += bytes.length;
    this.sentBytes += bytes.length;
    this.#socket.write(bytes, (error) => {
      this.queuedBytes -= bytes.length;
      if (error || this.#isClosed) return;
      batchBuffers.release(bytes);
      this.#events?.onWritable();
    });
  }

  admit(): void {
    this.#onAdmitted();
  }

  close(): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#isClosing = true;
    this.#socket.end();
    this.#graceTimer = setTimeout(() => this.#socket.destroy(), closeGraceMs).unref();
  }

  destroy(): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#graceTimer);
    this.#events?.onClose(this.#isClosing ? undefined : this.#failure);
  }
}
