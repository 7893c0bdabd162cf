/**
 * Reads the frames of one direction of a WebSocket from octets as they pass.
 *
 * It watches only: it keeps a bounded beginning of each payload, and gives up, once and for good, on octets that are no
 * WebSocket frames.
 *
 * @see RFC 6455 section 5.2 (Base Framing Protocol)
 */

import type { OctetAccount } from './captured-body.ts';

/** A frame that has passed. */
export interface WebSocketFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  /** RSV1, which with permessage-deflate says that the message is compressed (RFC 7692 section 6). */
  readonly isCompressed: boolean;
  readonly lengthBytes: number;
  /** The payload's beginning, unmasked. */
  readonly payload: Buffer;
}

/** Header of 2 octets, length of 8, mask of 4. */
const maxHeaderBytes = 14;
/** Control frames carry no more (RFC 6455 section 5.5). */
const maxControlBytes = 125;

/** Parses one direction. */
export class WebSocketParser {
  readonly #maxPayloadBytes: number;
  readonly #account: OctetAccount;
  readonly #onFrame: (frame: WebSocketFrame) => void;
  readonly #header = Buffer.alloc(maxHeaderBytes);
  #headerBytes = 0;
  #payload: Buffer | undefined;
  #lengthBytes = 0;
  #seenBytes = 0;
  #isBroken = false;

  /** @param maxPayloadBytes Octets kept of one payload. */
  constructor(maxPayloadBytes: number, account: OctetAccount, onFrame: (frame: WebSocketFrame) => void) {
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#account = account;
    this.#onFrame = onFrame;
  }

  /** Whether the octets turned out to be something else. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Takes the next octets. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#isBroken; ) {
      at = this.#payload === undefined ? this.#readHeader(chunk, at) : this.#readPayload(chunk, at, this.#payload);
    }
  }

  #readHeader(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerBytes < this.#wantedHeaderBytes) {
      this.#header[this.#headerBytes] = chunk[at] ?? 0;
      this.#headerBytes += 1;
      at += 1;
    }
    if (this.#headerBytes === this.#wantedHeaderBytes) this.#beginPayload();
    return at;
  }

  /** Octets of this header; the first two say how many follow. */
  get #wantedHeaderBytes(): number {
    if (this.#headerBytes < 2) return 2;
    const second = this.#header[1] ?? 0;
    const short = second & 0x7f;
    return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
  }

  #beginPayload(): void {
    const short = (this.#header[1] ?? 0) & 0x7f;
    const long = short === 127 ? Number(this.#header.readBigUInt64BE(2)) : short;
    this.#lengthBytes = short === 126 ? this.#header.readUInt16BE(2) : long;
    if (!this.#isPlausible()) {
      this.#isBroken = true;
      return;
    }
    this.#seenBytes = 0;
    this.#payload = Buffer.allocUnsafe(Math.min(this.#lengthBytes, this.#maxPayloadBytes));
    this.#account.charge(this.#payload.length);
    if (this.#lengthBytes === 0) this.#endFrame(this.#payload);
  }

  #isPlausible(): boolean {
    const opcode = this.#opcode;
    if (opcode > 2 && opcode < 8) return false;
    if (opcode > 10 || !Number.isSafeInteger(this.#lengthBytes)) return false;
    return opcode < 8 || (this.#lengthBytes <= maxControlBytes && this.#isFinal);
  }

  #readPayload(chunk: Buffer, start: number, payload: Buffer): number {
    const bytes = Math.min(this.#lengthBytes - this.#seenBytes, chunk.length - start);
    if (this.#seenBytes < payload.length) chunk.copy(payload, this.#seenBytes, start, start + bytes);
    this.#seenBytes += bytes;
    if (this.#seenBytes === this.#lengthBytes) this.#endFrame(payload);
    return start + bytes;
  }

  #endFrame(payload: Buffer): void {
    this.#unmask(payload);
    this.#payload = undefined;
    this.#headerBytes = 0;
    this.#onFrame({
      opcode: this.#opcode,
      isFinal: this.#isFinal,
      isCompressed: ((this.#header[0] ?? 0) & 0x40) !== 0,
      lengthBytes: this.#lengthBytes,
      payload,
    });
    this.#account.charge(-payload.length);
  }

  #unmask(payload: Buffer): void {
    if (((this.#header[1] ?? 0) & 0x80) === 0) return;
    const mask = this.#header.subarray(this.#headerBytes - 4, this.#headerBytes);
    for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  }

  get #opcode(): number {
    return (this.#header[0] ?? 0) & 0x0f;
  }

  get #isFinal(): boolean {
    return ((this.#header[0] ?? 0) & 0x80) !== 0;
  }
}
