/**
 * Writes responses to one client connection: framing, one write per turn, backpressure.
 */
import type { Socket } from 'node:net';
import type { FieldLines } from '../http/field-line.ts';
import { chunkHeader, lastChunkText, responseHeadText } from '../http/head-text.ts';
import type { BodyFraming, ResponseHead } from '../http/message.ts';
import { breakOff } from '../tunnel/break-off.ts';
import { keptPiece, ownMemory } from '../tunnel/kept-piece.ts';

/** What one turn has to say is copied into one buffer up to this many octets; above, copying costs more than it saves. */
const maxJoinedBytes = 32 * 1024;

/** So many parts leave before the turn is over: tiny ones would cost far more than their octets. */
const maxParts = 1024;

/** Is told as body octets (without framing) have left for the client, or never will. */
export interface BodySource {
  consumed(bytes: number): void;
}

/** The writing half of a client connection. */
export class ResponseWriter {
  readonly #socket: Socket;
  /** What this turn has to say: latin1 text and body octets. */
  #parts: (string | Buffer)[] = [];
  #partBytes = 0;
  /** Where the latest head begins in {@link #parts}; undefined once the socket has it. */
  #headAt: number | undefined;
  #framing: BodyFraming['kind'] = 'none';
  /** Body octets that were handed to us and have not left for the client, by where they came from. */
  #unconsumed: { readonly source: BodySource; bytes: number }[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('drain', () => this.#consumed());
    socket.on('close', () => this.#consumed());
  }

  /** Writes a head; body octets that follow are framed as its `body` says. */
  head(head: ResponseHead, connection: string | undefined): void {
    this.#framing = head.body.kind;
    this.#headAt = this.#parts.length;
    this.#add(responseHeadText(head, connection));
  }

  /** Takes the latest head back, with all that was written behind it; false when the socket has it already. */
  takeBackHead(): boolean {
    if (this.#headAt === undefined) return false;
    this.#parts.length = this.#headAt;
    this.#partBytes = this.#parts.reduce((bytes, part) => bytes + part.length, 0);
    this.#headAt = undefined;
    return true;
  }

  /** From now on body octets are written as they are. */
  raw(): void {
    this.#framing = 'none';
  }

  /** Writes body octets; `source` is told when they have left, which may be after the body has ended. */
  data(chunk: Buffer, source?: BodySource): void {
    if (source !== undefined) this.#owe(source, chunk.length);
    if (this.#framing !== 'chunked') return this.#add(chunk);
    this.#add(chunkHeader(chunk.length));
    this.#add(chunk);
    this.#add('\r\n');
  }

  /** Ends the body. */
  end(trailers: FieldLines): void {
    if (this.#framing === 'chunked') this.#add(lastChunkText(trailers));
    this.#framing = 'none';
  }

  /** Ends our side of the connection behind everything written so far. */
  finish(): void {
    this.#flush();
    this.#socket.end();
  }

  /** Breaks the connection off with an RST behind everything written so far. */
  abort(): void {
    this.#flush();
    breakOff(this.#socket);
  }

  /** Hands what is gathered to the socket; happens by itself behind the current turn. */
  readonly #flush = (): void => {
    const parts = this.#parts;
    const bytes = this.#partBytes;
    if (bytes === 0) return;
    this.#parts = [];
    this.#partBytes = 0;
    this.#headAt = undefined;
    const { writableLength } = this.#socket;
    const hasRoom =
      bytes <= maxJoinedBytes
        ? this.#socket.write(joined(parts, bytes, writableLength))
        : this.#writeAll(parts, writableLength);
    if (hasRoom) this.#consumed();
  };

  #add(part: string | Buffer): void {
    if (this.#partBytes === 0) process.nextTick(this.#flush);
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (this.#parts.length >= maxParts) this.#flush();
  }

  #writeAll(parts: readonly (string | Buffer)[], waitingBytes: number): boolean {
    const socket = this.#socket;
    let hasRoom = true;
    socket.cork();
    for (const part of parts)
      hasRoom = typeof part === 'string' ? socket.write(part, 'latin1') : socket.write(keptPiece(part, waitingBytes));
    socket.uncork();
    return hasRoom && !socket.writableNeedDrain;
  }

  #owe(source: BodySource, bytes: number): void {
    const latest = this.#unconsumed.at(-1);
    if (latest?.source === source) latest.bytes += bytes;
    else this.#unconsumed.push({ source, bytes });
  }

  #consumed(): void {
    if (this.#unconsumed.length === 0) return;
    const consumed = this.#unconsumed;
    this.#unconsumed = [];
    for (const { source, bytes } of consumed) source.consumed(bytes);
  }
}

/** @param waitingBytes What waits for the client already, in octets. */
function joined(parts: readonly (string | Buffer)[], bytes: number, waitingBytes: number): Buffer {
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') return keptPiece(only, waitingBytes);
  const buffer = waitingBytes === 0 ? Buffer.allocUnsafe(bytes) : ownMemory(bytes);
  let offset = 0;
  for (const part of parts) {
    if (typeof part === 'string') buffer.write(part, offset, 'latin1');
    else buffer.set(part, offset);
    offset += part.length;
  }
  return buffer;
}
