/**
 * Splices a stream and an origin's socket after a 101: octets both ways, with half-close and backpressure.
 */
import type { Socket } from 'node:net';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ExchangeTap } from '../inspector/exchange-tap.ts';
import { breakOff } from '../tunnel/break-off.ts';
import { keptPiece } from '../tunnel/kept-piece.ts';
import type { StreamSink } from '../tunnel/stream.ts';
import type { ExchangeStream } from './exchange-stream.ts';
import type { SocketReader } from './socket-reader.ts';

/** What a relay starts with. */
export interface RelayStart {
  readonly stream: ExchangeStream;
  /** The origin's socket, open, without handlers of a former owner. */
  readonly socket: Socket;
  /** What reads it. */
  readonly reader: SocketReader;
  /** Octets that came behind the 101. */
  readonly rest: Buffer | undefined;
  /** Hears what passes. */
  readonly tap: ExchangeTap | undefined;
  /** Called once, when both directions are over; with the error that ended them if one did. */
  onFinished(error: GiraffeError | undefined): void;
}

/** One relay. It costs one handle and no timer. */
export class Relay implements StreamSink {
  readonly #stream: ExchangeStream;
  readonly #tap: ExchangeTap | undefined;
  readonly #socket: Socket;
  readonly #onFinished: RelayStart['onFinished'];
  /** Octets written to the socket while it had enough; their credit waits for its drain. */
  #heldBytes = 0;
  /** Octets from and to the edge. */
  #requestBytes = 0;
  #responseBytes = 0;
  #originEnded = false;
  #isFinished = false;

  constructor({ stream, socket, reader, rest, tap, onFinished }: RelayStart) {
    this.#stream = stream;
    this.#tap = tap;
    this.#socket = socket;
    this.#onFinished = onFinished;
    reader.sink = (chunk) => this.#toEdge(chunk);
    socket.on('end', () => this.#endOfOrigin());
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => this.#socketGone(error));
    socket.on('close', () => this.#socketGone(undefined));
    if (rest !== undefined) this.#toEdge(rest);
  }

  /** Octets that came from the edge and from the origin. */
  get carried(): { readonly requestBytes: number; readonly responseBytes: number } {
    return { requestBytes: this.#requestBytes, responseBytes: this.#responseBytes };
  }

  // The edge's side.

  onHead(): void {}

  onData(chunk: Buffer): void {
    this.#tap?.onRelayed('toOrigin', chunk);
    this.#requestBytes += chunk.length;
    if (this.#isFinished) return this.#refuse(chunk);
    if (this.#socket.write(keptPiece(chunk, this.#socket.writableLength))) this.#stream.consumed(chunk.length);
    else this.#heldBytes += chunk.length;
  }

  onEnd(): void {
    this.#socket.end();
  }

  onWritable(): void {
    this.#socket.resume();
  }

  onReset(error: GiraffeError): void {
    this.#finish(error);
    breakOff(this.#socket);
  }

  // The origin's side.

  #toEdge(chunk: Buffer): void {
    this.#tap?.onRelayed('toClient', chunk);
    this.#responseBytes += chunk.length;
    if (!this.#stream.sendData(chunk)) this.#socket.pause();
  }

  #endOfOrigin(): void {
    this.#originEnded = true;
    this.#stream.sendEnd();
  }

  #drained(): void {
    const bytes = this.#heldBytes;
    this.#heldBytes = 0;
    this.#stream.consumed(bytes);
  }

  #socketGone(error: Error | undefined): void {
    if (this.#isFinished) return;
    // An origin that has said all it had to say may close: what it said is still on its way, and a reset would lose it.
    if (this.#originEnded) {
      this.#finish(undefined);
      return this.#drained();
    }
    const failure = new GiraffeError('GIR_ERR_RESPONSE_INCOMPLETE', error?.message ?? 'closed', { cause: error });
    this.#finish(failure);
    this.#stream.reset(failure);
  }

  /** Octets for an origin that is gone: thrown away, and refused once everything from the origin has left. */
  #refuse(chunk: Buffer): void {
    const { outbound } = this.#stream;
    if (outbound.queuedBytes === 0 && outbound.end === undefined) {
      this.#stream.reset(new GiraffeError('GIR_ERR_ORIGIN_CLOSED'));
    } else {
      this.#stream.consumed(chunk.length);
    }
  }

  #finish(error: GiraffeError | undefined): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#onFinished(error);
  }
}
