/**
 * Writes one request body to a socket as its head announced it, and watches that the edge keeps to that.
 */
import type { Socket } from 'node:net';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from '../http/field-line.ts';
import { assertForwardableTrailers } from '../http/field-validation.ts';
import { chunkHeader, lastChunkText } from '../http/head-text.ts';
import type { BodyFraming } from '../http/message.ts';
import { keptPiece } from '../tunnel/kept-piece.ts';

const chunkEnd = Buffer.from('\r\n');

/** The body of one request. */
export class RequestBody {
  readonly #framing: BodyFraming;
  #bytes = 0;
  #hasEnded = false;

  constructor(framing: BodyFraming) {
    this.#framing = framing;
  }

  /** Whether octets of the body, or its end, have gone out: a request that has begun so cannot be sent again. */
  get hasBegun(): boolean {
    return this.#bytes > 0 || (this.#hasEnded && this.#framing.kind === 'chunked');
  }

  /** Whether the origin has been sent all of it. */
  get isWhole(): boolean {
    if (this.#framing.kind === 'chunked') return this.#hasEnded;
    return this.#bytes === this.#announcedBytes;
  }

  /**
   * Writes a piece; returns false when the socket has had enough.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL for more octets than were announced.
   */
  write(socket: Socket, piece: Buffer): boolean {
    this.#bytes += piece.length;
    if (this.#framing.kind !== 'chunked') {
      if (this.#bytes > this.#announcedBytes) throw broken('more request body than it announced');
      return socket.write(keptPiece(piece, socket.writableLength));
    }
    const kept = keptPiece(piece, socket.writableLength);
    socket.cork();
    socket.write(chunkHeader(piece.length), 'latin1');
    socket.write(kept);
    const hasRoom = socket.write(chunkEnd);
    socket.uncork();
    return hasRoom;
  }

  /**
   * Ends the body. Trailers are written where the framing has a place for them.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL for fewer octets than were announced, and for broken trailers.
   */
  end(socket: Socket, trailers: FieldLines): void {
    this.#hasEnded = true;
    if (this.#framing.kind === 'chunked') {
      assertForwardableTrailers(trailers);
      socket.write(lastChunkText(trailers), 'latin1');
    } else if (this.#bytes < this.#announcedBytes) {
      throw broken('less request body than it announced');
    }
  }

  get #announcedBytes(): number {
    return this.#framing.kind === 'length' ? this.#framing.lengthBytes : 0;
  }
}

function broken(what: string): GiraffeError {
  return new GiraffeError('GIR_ERR_PROTOCOL', `the edge sent ${what}`);
}
