/**
 * The latest messages of one WebSocket, both directions, read from the octets that pass.
 *
 * Fragments are joined and compressed messages inflated where the bounds allow it.
 */
import { type FieldLines, fieldValues } from '../http/field-line.ts';
import type { OctetAccount } from './captured-body.ts';
import type { RelayDirection } from './exchange-tap.ts';
import { MessageInflater } from './message-inflater.ts';
import { type WebSocketFrame, WebSocketParser } from './websocket-parser.ts';

/** A message, or a control frame, that has passed. */
export interface LoggedMessage {
  /** Counts from 0 within the exchange. */
  readonly number: number;
  readonly direction: RelayDirection;
  readonly kind: 'text' | 'binary' | 'close' | 'ping' | 'pong';
  /** Since the exchange began, in milliseconds. */
  readonly atMs: number;
  /** Octets on the wire, without frame headers. */
  readonly wireBytes: number;
  /** Its beginning; compressed when `isCompressed`. */
  readonly payload: Buffer;
  /** Whether `payload` is only its beginning. */
  readonly isTruncated: boolean;
  /** Whether it could not be inflated. */
  readonly isCompressed: boolean;
}

/** Messages kept of one WebSocket, a count. */
const maxMessages = 1000;
/** Octets that one kept message costs besides its payload, roughly. */
const messageCostBytes = 200;
/** Kept of one message at most, in octets. */
const maxPayloadBytes = 16 * 1024;
/** The longest compressed message that is inflated, in octets on the wire and of its text. */
const maxCompressedBytes = 64 * 1024;
const maxInflatedBytes = 256 * 1024;

/** A message of which frames are still to come. */
interface OpenMessage {
  readonly kind: 'text' | 'binary';
  readonly isCompressed: boolean;
  readonly parts: Buffer[];
  keptBytes: number;
  wireBytes: number;
}

interface Direction {
  readonly parser: WebSocketParser;
  readonly inflater: MessageInflater;
  open: OpenMessage | undefined;
}

/** The messages of one WebSocket. */
export class MessageLog {
  readonly #maxBytes: number;
  readonly #account: OctetAccount;
  readonly #directions: Readonly<Record<RelayDirection, Direction>>;
  readonly #messages: LoggedMessage[] = [];
  #heldBytes = 0;
  #count = 0;
  #atMs = 0;

  /**
   * @param maxBytes Octets kept in all.
   * @param answer Fields of the 101, which say what was agreed.
   */
  constructor(maxBytes: number, account: OctetAccount, answer: FieldLines) {
    this.#maxBytes = maxBytes;
    this.#account = account;
    const extensions = fieldValues(answer, 'sec-websocket-extensions').join(', ').toLowerCase();
    const direction = (name: RelayDirection, side: 'client' | 'server'): Direction => ({
      parser: new WebSocketParser(maxCompressedBytes, account, (frame) => this.#take(name, frame)),
      inflater: new MessageInflater(extensions.includes(`${side}_no_context_takeover`), maxInflatedBytes),
      open: undefined,
    });
    this.#directions = { toOrigin: direction('toOrigin', 'client'), toClient: direction('toClient', 'server') };
  }

  /** Those that are kept, the oldest first. */
  get messages(): readonly LoggedMessage[] {
    return this.#messages;
  }

  /** Messages that passed, kept or not. */
  get count(): number {
    return this.#count;
  }

  /** Whether the octets of one direction turned out to be no WebSocket frames. */
  get isBroken(): boolean {
    return this.#directions.toOrigin.parser.isBroken || this.#directions.toClient.parser.isBroken;
  }

  /** Takes octets that pass. @param atMs Since the exchange began, in milliseconds. */
  push(direction: RelayDirection, chunk: Buffer, atMs: number): void {
    this.#atMs = atMs;
    this.#directions[direction].parser.push(chunk);
  }

  #take(name: RelayDirection, frame: WebSocketFrame): void {
    if (frame.opcode >= 8) return this.#keepControl(name, frame);
    const direction = this.#directions[name];
    if (frame.opcode !== 0) {
      const kind = frame.opcode === 1 ? 'text' : 'binary';
      direction.open = { kind, isCompressed: frame.isCompressed, parts: [], keptBytes: 0, wireBytes: 0 };
    }
    const { open } = direction;
    // A continuation of nothing: the WebSocket is broken, and its ends will say so.
    if (open === undefined) return;
    open.wireBytes += frame.lengthBytes;
    const part = frame.payload.subarray(0, maxCompressedBytes - open.keptBytes);
    // Empty fragments can be any number.
    if (part.length > 0) open.parts.push(part);
    open.keptBytes += part.length;
    this.#account.charge(part.length);
    if (!frame.isFinal) return;
    direction.open = undefined;
    this.#account.charge(-open.keptBytes);
    this.#keepMessage(name, open, direction.inflater);
  }

  #keepMessage(direction: RelayDirection, open: OpenMessage, inflater: MessageInflater): void {
    const { kind, parts, keptBytes, wireBytes } = open;
    const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    let inflated: Buffer | undefined;
    if (open.isCompressed && keptBytes === wireBytes) inflated = inflater.inflate(whole, this.#atMs);
    else if (open.isCompressed) inflater.skip();
    const shown = inflated ?? whole;
    const isTruncated = shown.length > maxPayloadBytes || (inflated === undefined && keptBytes < wireBytes);
    const isCompressed = open.isCompressed && inflated === undefined;
    // A copy, so that a short beginning does not hold a long message.
    const payload = Buffer.from(shown.subarray(0, maxPayloadBytes));
    this.#keep({ direction, kind, wireBytes, payload, isTruncated, isCompressed });
  }

  #keepControl(direction: RelayDirection, { opcode, lengthBytes, payload }: WebSocketFrame): void {
    const kind = opcode === 8 ? 'close' : opcode === 9 ? 'ping' : 'pong';
    this.#keep({ direction, kind, wireBytes: lengthBytes, payload, isTruncated: false, isCompressed: false });
  }

  #keep(message: Omit<LoggedMessage, 'number' | 'atMs'>): void {
    this.#messages.push({ ...message, number: this.#count, atMs: this.#atMs });
    this.#count += 1;
    let change = message.payload.length + messageCostBytes;
    while (this.#messages.length > maxMessages || this.#heldBytes + change > this.#maxBytes) {
      const oldest = this.#messages.shift();
      if (oldest === undefined) break;
      change -= oldest.payload.length + messageCostBytes;
    }
    this.#heldBytes += change;
    this.#account.charge(change);
  }
}
