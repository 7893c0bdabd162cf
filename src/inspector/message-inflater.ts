/**
 * Inflates the compressed messages of one direction of a WebSocket (permessage-deflate), within bounds.
 *
 * A message may refer back to the 32 KiB before it, so that after one that was not inflated the following ones cannot be
 * either, unless the sender forgets from message to message. It does its work while messages pass, and therefore takes
 * only so much of it per second.
 *
 * @see RFC 7692 section 7 (The "permessage-deflate" Extension)
 */
import { constants, inflateRawSync } from 'node:zlib';

/** The furthest that deflate refers back, in octets (RFC 1951 section 2). */
const historyBytes = 32 * 1024;
/** The end of a deflate block, which the sender leaves out (RFC 7692 section 7.2.1). */
const blockEnd = Buffer.from([0, 0, 0xff, 0xff]);
/** Messages and octets that are inflated within one second. At about 30 µs per message this is below 1 % of the time. */
const maxMessagesPerSecond = 200;
const maxBytesPerSecond = 1024 * 1024;

/** One direction. */
export class MessageInflater {
  readonly #forgets: boolean;
  readonly #maxBytes: number;
  #history: Buffer | undefined = Buffer.alloc(0);
  #secondStartMs = Number.NEGATIVE_INFINITY;
  #messages = 0;
  #bytes = 0;

  /**
   * @param forgets Whether the sender agreed to take no context over from message to message.
   * @param maxBytes The longest message that is inflated, in octets of its text.
   */
  constructor(forgets: boolean, maxBytes: number) {
    this.#forgets = forgets;
    this.#maxBytes = maxBytes;
  }

  /** Says that a message was not seen whole. */
  skip(): void {
    if (!this.#forgets) this.#history = undefined;
  }

  /** Returns the message; undefined when it cannot be had. */
  inflate(compressed: Buffer, nowMs: number): Buffer | undefined {
    const history = this.#history;
    if (history === undefined || !this.#takeTurn(compressed.length, nowMs)) {
      this.skip();
      return undefined;
    }
    try {
      const message = inflateRawSync(Buffer.concat([compressed, blockEnd]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.#maxBytes,
        ...(history.length === 0 ? {} : { dictionary: history }),
      });
      if (!this.#forgets) this.#history = Buffer.concat([history, message]).subarray(-historyBytes);
      return message;
    } catch {
      // Too long, or no deflate: shown as it came.
      this.skip();
      return undefined;
    }
  }

  #takeTurn(bytes: number, nowMs: number): boolean {
    if (nowMs - this.#secondStartMs >= 1000) {
      this.#secondStartMs = nowMs;
      this.#messages = 0;
      this.#bytes = 0;
    }
    this.#messages += 1;
    this.#bytes += bytes;
    return this.#messages <= maxMessagesPerSecond && this.#bytes <= maxBytesPerSecond;
  }
}
