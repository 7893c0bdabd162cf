/**
 * Writes responses to one client connection: framing, corking, backpressure.
 */
import type { Socket } from 'node:net';
import type { FieldLines } from '../http/field-line.ts';
import { chunkHeader, lastChunkText, responseHeadText } from '../http/head-text.ts';
import type { BodyFraming, ResponseHead } from '../http/message.ts';

/** Pieces smaller than this share of the buffer they are cut from are copied when the client is slow. */
const compactShare = 0.5;

/** The writing half of a client connection. */
export class ResponseWriter {
  readonly #socket: Socket;
  readonly #onConsumed: (bytes: number) => void;
  #isCorked = false;
  #framing: BodyFraming['kind'] = 'none';
  #unconsumedBytes = 0;
  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#socket.uncork();
  };

  /** @param onConsumed Called with body octets (without framing) as they leave for the client. */
  constructor(socket: Socket, onConsumed: (bytes: number) => void) {
    this.#socket = socket;
    this.#onConsumed = onConsumed;
    socket.on('drain', () => this.#drained());
  }

  /** Writes a head; body octets that follow are framed as its `body` says. */
  head(head: ResponseHead, connection: string | undefined): void {
    this.#framing = head.body.kind;
    this.text(responseHeadText(head, connection));
  }

  /** From now on body octets are written as they are. */
  raw(): void {
    this.#framing = 'none';
  }

  data(chunk: Buffer): void {
    this.#cork();
    const piece = this.#socket.writableLength > 0 ? compact(chunk) : chunk;
    let hasRoom: boolean;
    if (this.#framing === 'chunked') {
      this.#socket.write(chunkHeader(piece.length), 'latin1');
      this.#socket.write(piece);
      hasRoom = this.#socket.write('\r\n', 'latin1');
    } else {
      hasRoom = this.#socket.write(piece);
    }
    if (hasRoom && this.#unconsumedBytes === 0) this.#onConsumed(chunk.length);
    else this.#unconsumedBytes += chunk.length;
  }

  /** Ends the body. What the client has not taken yet is no longer anybody's credit. */
  end(trailers: FieldLines): void {
    this.#unconsumedBytes = 0;
    if (this.#framing === 'chunked') this.text(lastChunkText(trailers));
    this.#framing = 'none';
  }

  /** Writes latin1 text, together with whatever else this turn writes. */
  text(text: string): void {
    this.#cork();
    this.#socket.write(text, 'latin1');
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(this.#uncork);
  }

  #drained(): void {
    const bytes = this.#unconsumedBytes;
    this.#unconsumedBytes = 0;
    if (bytes > 0) this.#onConsumed(bytes);
  }
}

/** Copies a small view of a large buffer, so that a slow client keeps its own octets alive and not everybody's. */
function compact(chunk: Buffer): Buffer {
  return chunk.length < chunk.buffer.byteLength * compactShare ? Buffer.from(chunk) : chunk;
}
