/**
 * Two carriers joined in memory. Nothing moves by itself: a test delivers octets in pieces of its choice, or not at all,
 * which is what a peer that does not read looks like.
 */
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import type { FrameBatch } from '../../src/protocol/frame-batch.ts';
import type { Carrier, CarrierEvents } from '../../src/tunnel/carrier.ts';

/** One end of a link. */
export class LinkedCarrier implements Carrier {
  readonly kind = 'tls';
  readonly peer = 'the other end';
  sentBytes = 0;
  receivedBytes = 0;
  isAdmitted = false;
  isClosed = false;
  /** Everything ever sent, for tests that look at the wire. */
  readonly sent: Buffer[] = [];
  /** What was done with the carrier that a real one would answer with an error. */
  readonly misuses: string[] = [];
  #events: CarrierEvents | undefined;
  #other: LinkedCarrier | undefined;
  #outbox: Buffer[] = [];
  #isEnding = false;

  /** Octets sent and not delivered. */
  get queuedBytes(): number {
    return this.#outbox.reduce((sum, { length }) => sum + length, 0);
  }

  join(other: LinkedCarrier): void {
    this.#other = other;
  }

  start(events: CarrierEvents): void {
    if (this.#events !== undefined) this.misuses.push('start() twice');
    this.#events = events;
  }

  send(batch: FrameBatch): void {
    if (this.#isEnding || this.isClosed) {
      this.misuses.push('send() after the end');
      return;
    }
    const bytes = batch.encode();
    if (bytes.length === 0) this.misuses.push('send() of nothing');
    this.sent.push(bytes);
    this.sentBytes += bytes.length;
    this.#outbox.push(bytes);
  }

  admit(): void {
    this.isAdmitted = true;
  }

  close(): void {
    this.#isEnding = true;
  }

  destroy(): void {
    this.lose(undefined);
    this.#other?.lose(new GiraffeError('GIR_ERR_SESSION_LOST', 'reset by the other end'));
  }

  /** Ends this side with `error`. */
  lose(error: GiraffeError | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#outbox = [];
    this.#events?.onClose(error);
  }

  /**
   * Delivers up to `maxBytes` octets in pieces of up to `pieceBytes`, and the end behind the last one.
   * Returns the octets that were delivered.
   */
  deliver(maxBytes = Number.POSITIVE_INFINITY, pieceBytes = maxBytes): number {
    let delivered = 0;
    while (delivered < maxBytes && this.#outbox.length > 0) {
      const piece = this.#cut(Math.min(maxBytes - delivered, pieceBytes));
      delivered += piece.length;
      this.#other?.receive(piece);
      if (!this.isClosed) this.#events?.onWritable();
    }
    if (this.#isEnding && this.#outbox.length === 0) {
      this.#other?.lose(undefined);
      this.lose(undefined);
    }
    return delivered;
  }

  /** Acts as if these octets had arrived. */
  receive(bytes: Buffer): void {
    if (this.isClosed) return;
    this.receivedBytes += bytes.length;
    this.#events?.onBytes(bytes);
  }

  #cut(maxBytes: number): Buffer {
    const first = this.#outbox[0] ?? Buffer.alloc(0);
    if (first.length <= maxBytes) {
      this.#outbox.shift();
      return first;
    }
    this.#outbox[0] = first.subarray(maxBytes);
    return first.subarray(0, maxBytes);
  }
}

/** Returns two carriers, each the other's peer. */
export function linkedCarriers(): { edge: LinkedCarrier; agent: LinkedCarrier } {
  const edge = new LinkedCarrier();
  const agent = new LinkedCarrier();
  edge.join(agent);
  agent.join(edge);
  return { edge, agent };
}

/** Two turns of the event loop: what was queued before leaves. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** Delivers both ways until nothing moves any more. */
export async function settle(
  { edge, agent }: { edge: LinkedCarrier; agent: LinkedCarrier },
  pieceBytes?: number,
): Promise<void> {
  let quietTurns = 0;
  while (quietTurns < 2) {
    await turn();
    const moved = edge.deliver(undefined, pieceBytes) + agent.deliver(undefined, pieceBytes);
    quietTurns = moved === 0 ? quietTurns + 1 : 0;
  }
}
