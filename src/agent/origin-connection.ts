/**
 * One connection to an origin: a socket, its response parser, and whoever uses it at the moment.
 *
 * The socket's handlers are set once and dispatch to the current user. It does not decide what is sent or retried.
 */

import type { Socket } from 'node:net';
import { durationText } from '../errors/duration-text.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from '../http/field-line.ts';
import type { ResponseHead } from '../http/message.ts';
import { ResponseParser, type ResponseSink } from '../http/response-parser.ts';
import { keepAliveMs } from './keep-alive-hint.ts';
import { type ConnectPhase, connectFailure } from './origin-error.ts';
import type { OriginDialer } from './origin-socket.ts';
import { SocketReader } from './socket-reader.ts';

/**
 * Is told what the origin answers, by the rules of ResponseSink. After onResponseEnd the user releases or destroys the
 * connection; onSwitched and onFailure end its use.
 */
export interface ConnectionUser {
  /** The connection is up. Not said of one that was kept. */
  onConnected(): void;
  onResponseHead(head: ResponseHead): void;
  onResponseBody(chunk: Buffer): void;
  onResponseEnd(trailers: FieldLines): void;
  /** A 101 was accepted by onResponseHead: take the socket over with {@link OriginConnection.detach}. */
  onSwitched(): void;
  /** There is room again after a write returned false. */
  onDrain(): void;
  /** The connection is gone before the answer was complete. */
  onFailure(error: GiraffeError): void;
}

/** Owns connections while nobody uses them. */
export interface ConnectionOwner {
  /** The target as text, for details of errors. */
  readonly targetText: string;
  onConnected(socket: Socket): void;
  onConnectFailed(error: GiraffeError): void;
  /** Nobody uses the connection any more, and it can serve again. */
  onIdle(connection: OriginConnection): void;
  /** The connection is gone, or was handed out for good. */
  onGone(connection: OriginConnection): void;
}

/** A pooled connection. */
export class OriginConnection implements ResponseSink {
  readonly socket: Socket;
  /** Whether it has served before, so that it may have died unnoticed. */
  isReused = false;
  /** How long it can be reused after it became idle, in milliseconds. */
  reuseMs = 0;
  /** When it became idle, by the clock of its owner. */
  idleSinceMs = 0;
  /** Whether anything of an answer came since {@link begin}. */
  hasReceived = false;
  readonly #owner: ConnectionOwner;
  readonly #parser = new ResponseParser(this);
  #user: ConnectionUser | undefined;
  #phase: ConnectPhase | 'open' | 'gone' = 'tcp';
  #connectTimer: NodeJS.Timeout | undefined;
  #allowsReuse = false;
  readonly #reader = new SocketReader((octets) => this.#read(octets));
  readonly #onEnd = (): void => this.#ended();
  readonly #onDrain = (): void => this.#user?.onDrain();
  readonly #onBroken = (error: Error): void => this.#broken(error);
  readonly #onClose = (): void => this.#broken(undefined);

  /** @param connectTimeoutMs Time for TCP and TLS together, in milliseconds. */
  constructor(dialer: OriginDialer, owner: ConnectionOwner, connectTimeoutMs: number) {
    const { isTls } = dialer;
    const socket = dialer.dial(this.#reader);
    this.socket = socket;
    this.#owner = owner;
    const timeout = (): void =>
      this.#connectFailed(
        new GiraffeError('GIR_ERR_ORIGIN_CONNECT_TIMEOUT', `no answer in ${durationText(connectTimeoutMs)}`),
      );
    this.#connectTimer = setTimeout(timeout, connectTimeoutMs);
    socket.on('connect', () => {
      if (isTls) this.#phase = 'tls';
      else this.#connected();
    });
    if (isTls) socket.on('secureConnect', () => this.#connected());
    socket.on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('error', this.#onBroken).on('close', this.#onClose);
  }

  /**
   * Starts an exchange. What the user writes before the connection is up is sent when it is.
   * @param method Method of the request, which decides how the answer ends.
   */
  begin(user: ConnectionUser, method: string): void {
    this.#user = user;
    this.hasReceived = false;
    this.#allowsReuse = false;
    this.#parser.expect(method);
  }

  /** Ends the use after a complete answer. */
  release(): void {
    this.#user = undefined;
    // Octets behind the answer belong to nobody: whoever sent them is out of step.
    if (!this.#allowsReuse || this.reuseMs <= 0 || this.#parser.restBytes > 0) return this.destroy();
    if (this.socket.isPaused()) this.socket.resume();
    this.isReused = true;
    this.#owner.onIdle(this);
  }

  /** Closes the connection at once; the user hears nothing of it. */
  destroy(): void {
    this.#user = undefined;
    this.#gone();
    this.socket.destroy();
  }

  /** Hands the socket out for good, without any handler, with its reader and the octets that came behind the 101. */
  detach(): { socket: Socket; reader: SocketReader; rest: Buffer | undefined } {
    this.#user = undefined;
    this.#gone();
    const { socket } = this;
    socket.off('end', this.#onEnd).off('drain', this.#onDrain);
    socket.off('error', this.#onBroken).off('close', this.#onClose);
    return { socket, reader: this.#reader, rest: this.#parser.takeRest() };
  }

  // The parser's side.

  onHead(head: ResponseHead): void {
    if (head.status >= 200) {
      this.reuseMs = keepAliveMs(head);
      this.#allowsReuse = this.reuseMs > 0 && head.body.kind !== 'until-close';
    }
    this.#user?.onResponseHead(head);
  }

  onBody(chunk: Buffer): void {
    this.#user?.onResponseBody(chunk);
  }

  onEnd(trailers: FieldLines): void {
    this.#user?.onResponseEnd(trailers);
  }

  // The socket's side.

  #connected(): void {
    clearTimeout(this.#connectTimer);
    this.#phase = 'open';
    this.#owner.onConnected(this.socket);
    this.#user?.onConnected();
  }

  #read(chunk: Buffer): void {
    // An idle connection has nothing to say.
    if (this.#user === undefined) return this.destroy();
    this.hasReceived = true;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      return this.#fail(GiraffeError.from(error));
    }
    if (this.#parser.state === 'stopped') this.#user?.onSwitched();
  }

  #ended(): void {
    if (this.#user === undefined) return this.destroy();
    try {
      this.#parser.finish();
    } catch (error) {
      this.#fail(GiraffeError.from(error));
    }
  }

  #broken(error: Error | undefined): void {
    if (this.#phase === 'gone') return;
    if (this.#phase !== 'open') {
      const cause = error ?? new Error('closed while connecting');
      return this.#connectFailed(connectFailure(cause, this.#phase, this.#owner.targetText));
    }
    const code = this.hasReceived ? 'GIR_ERR_RESPONSE_INCOMPLETE' : 'GIR_ERR_ORIGIN_CLOSED';
    this.#fail(new GiraffeError(code, error?.message ?? 'closed', { cause: error }));
  }

  #connectFailed(error: GiraffeError): void {
    this.#owner.onConnectFailed(error);
    this.#fail(error);
  }

  #fail(error: GiraffeError): void {
    const user = this.#user;
    this.destroy();
    user?.onFailure(error);
  }

  #gone(): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    clearTimeout(this.#connectTimer);
    this.#owner.onGone(this);
  }
}
