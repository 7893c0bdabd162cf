/** Records what a carrier tells, and lets a test wait for it. */
import type { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { frameType, streamId } from '../../src/protocol/frame.ts';
import { FrameBatch } from '../../src/protocol/frame-batch.ts';
import type { Carrier, CarrierEvents } from '../../src/tunnel/carrier.ts';

/** The events of one carrier. */
export class CarrierLog implements CarrierEvents {
  readonly carrier: Carrier;
  readonly closes: (GiraffeError | undefined)[] = [];
  /** What came after the close: there must not be anything. */
  readonly late: string[] = [];
  writables = 0;
  /** Called when the carrier says that there is room. */
  react: () => void = () => {};
  readonly #chunks: Buffer[] = [];
  #count = 0;
  readonly #waiting: { isMet: () => boolean; resolve: () => void }[] = [];

  /** Starts the carrier. */
  constructor(carrier: Carrier) {
    this.carrier = carrier;
    carrier.start(this);
  }

  /** Everything received. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  onBytes(chunk: Buffer): void {
    this.#note('bytes');
    this.#chunks.push(Buffer.from(chunk));
    this.#count += chunk.length;
    this.#check();
  }

  onWritable(): void {
    this.#note('writable');
    this.writables += 1;
    this.react();
    this.#check();
  }

  onClose(error: GiraffeError | undefined): void {
    this.#note('close');
    this.closes.push(error);
    this.#check();
  }

  received(count: number): Promise<void> {
    return this.until(() => this.#count >= count);
  }

  drained(): Promise<void> {
    return this.until(() => this.carrier.queuedBytes === 0);
  }

  closed(): Promise<void> {
    return this.until(() => this.closes.length > 0);
  }

  #note(what: string): void {
    if (this.closes.length > 0) this.late.push(what);
  }

  /** Waits until a condition is met that can change with an event of the carrier. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isMet, resolve });
      this.#check();
    });
  }

  #check(): void {
    for (const waiter of this.#waiting) if (waiter.isMet()) waiter.resolve();
  }
}

/** Returns a batch of one frame with a payload of `payloadBytes` octets that tell `seed`, and its octets. */
export function batchOf(payloadBytes: number, seed = 0): { batch: FrameBatch; bytes: Buffer } {
  const payload = Buffer.allocUnsafe(payloadBytes);
  for (let index = 0; index < payloadBytes; index += 1) payload[index] = (index * 7 + seed + (index >> 8)) & 0xff;
  const batch = new FrameBatch();
  batch.add(frameType.data, 0, streamId(seed), [payload], payloadBytes);
  return { batch, bytes: batch.encode() };
}
