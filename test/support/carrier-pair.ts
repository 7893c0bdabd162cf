/**
 * Two linked carriers in memory: what one sends arrives at the other in a later turn of the event loop, on demand in
 * pieces of one octet, held back, or not at all.
 */
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import type { FrameBatch } from '../../src/protocol/frame-batch.ts';
import type { Carrier, CarrierEvents, CarrierKind } from '../../src/tunnel/carrier.ts';

/** One end of a pair. */
export class MemoryCarrier implements Carrier {
  readonly kind: CarrierKind;
  readonly peer = 'memory';
  queuedBytes = 0;
  sentBytes = 0;
  receivedBytes = 0;
  /** Deliver octet by octet. */
  splits = false;
  /** The other end; itself until it is linked. */
  other: MemoryCarrier;
  #events: CarrierEvents | undefined;
  #queue: Buffer[] = [];
  #isStalled = false;
  #isScheduled = false;
  #isClosing = false;
  #isClosed = false;

  constructor(kind: CarrierKind) {
    this.kind = kind;
    this.other = this;
  }

  start(events: CarrierEvents): void {
    this.#events = events;
  }

  send(batch: FrameBatch): void {
    if (this.#isClosed) return;
    const bytes = batch.encode();
    this.queuedBytes += bytes.length;
    this.sentBytes += bytes.length;
    this.#queue.push(bytes);
    this.#schedule();
  }

  /** Holds back what is sent from here on, until {@link resume}. */
  stall(): void {
    this.#isStalled = true;
  }

  resume(): void {
    this.#isStalled = false;
    this.#schedule();
  }

  /** Breaks the pair, as a lost connection does. */
  cut(): void {
    const error = new GiraffeError('GIR_ERR_SESSION_LOST', 'cut');
    this.#close(error);
    this.other.#close(error);
  }

  admit(): void {}

  close(): void {
    this.#isClosing = true;
    this.#schedule();
  }

  destroy(): void {
    this.#close(undefined);
    setImmediate(() => this.other.#close(undefined));
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStalled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#isStalled) return;
    const queue = this.#queue;
    this.#queue = [];
    for (const bytes of queue) {
      this.queuedBytes -= bytes.length;
      this.other.#receive(bytes);
    }
    if (queue.length > 0 && !this.#isClosed) this.#events?.onWritable();
    if (this.#isClosing && this.#queue.length === 0) this.destroy();
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.receivedBytes += bytes.length;
    if (!this.splits) return this.#events?.onBytes(bytes);
    for (let at = 0; at < bytes.length; at += 1) this.#events?.onBytes(bytes.subarray(at, at + 1));
  }

  #close(error: GiraffeError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.onClose(error);
  }
}

/** Returns both ends of a new pair. */
export function carrierPair(kind: CarrierKind = 'grpc'): [edge: MemoryCarrier, agent: MemoryCarrier] {
  const edge = new MemoryCarrier(kind);
  const agent = new MemoryCarrier(kind);
  edge.other = agent;
  agent.other = edge;
  return [edge, agent];
}
