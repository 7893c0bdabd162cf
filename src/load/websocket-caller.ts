/** One WebSocket of a load: sends a message and waits until the same one comes back. */
import { isIP } from 'node:net';
import { WebSocket } from 'ws';
import type { FieldLines } from '../http/field-line.ts';
import type { Caller, Done } from './caller.ts';
import { type FailureKind, failureOfError } from './failure-kind.ts';
import type { Address } from './http-caller.ts';
import type { Traffic } from './load-record.ts';
import { bodyPiece } from './request-template.ts';

/** What a caller sends, and where it counts. */
export interface WebSocketCallerOptions {
  readonly address: Address;
  readonly authority: string;
  readonly path: string;
  readonly fields: FieldLines;
  /** Octets of a message. */
  readonly messageBytes: number;
  readonly traffic: () => Traffic;
}

/** Returns a message of so many octets. */
function messageOf(bytes: number): Buffer {
  return bytes <= bodyPiece.length ? bodyPiece.subarray(0, bytes) : Buffer.alloc(bytes, 'giraffe ');
}

/** A caller whose calls are echo round trips. The opening handshake is part of a call only when the socket was lost. */
export class WebSocketCaller implements Caller {
  readonly #options: WebSocketCallerOptions;
  readonly #message: Buffer;
  #socket: WebSocket | undefined;
  #done: Done | undefined;
  #failure: FailureKind = 'closed';

  constructor(options: WebSocketCallerOptions) {
    this.#options = options;
    this.#message = messageOf(options.messageBytes);
  }

  async open(): Promise<void> {
    const socket = this.#usable() ?? this.#connect();
    if (socket.readyState === WebSocket.OPEN) return;
    await new Promise<void>((resolve) => {
      socket.once('open', resolve);
      socket.once('close', () => resolve());
    });
  }

  call(done: Done): void {
    this.#done = done;
    const socket = this.#usable() ?? this.#connect();
    if (socket.readyState === WebSocket.OPEN) this.#send(socket);
    else socket.once('open', () => this.#send(socket));
  }

  abort(): void {
    this.close();
  }

  close(): void {
    this.#done = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  #usable(): WebSocket | undefined {
    const state = this.#socket?.readyState;
    return state === WebSocket.OPEN || state === WebSocket.CONNECTING ? this.#socket : undefined;
  }

  #send(socket: WebSocket): void {
    if (socket !== this.#socket || this.#done === undefined) return;
    this.#options.traffic().sentBytes += this.#message.length;
    socket.send(this.#message, { binary: true });
  }

  #connect(): WebSocket {
    const { address, authority, path, fields } = this.#options;
    const host = isIP(address.address) === 6 ? `[${address.address}]` : address.address;
    const { tls } = address;
    const socket = new WebSocket(`${tls === undefined ? 'ws' : 'wss'}://${host}:${address.port}${path}`, {
      headers: { Host: authority, ...Object.fromEntries(fields) },
      perMessageDeflate: false,
      maxPayload: this.#message.length,
      ...(tls === undefined ? {} : { rejectUnauthorized: tls.isVerified }),
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    });
    this.#socket = socket;
    this.#failure = 'closed';
    socket.on('message', (data: Buffer) => this.#onMessage(socket, data));
    socket.on('unexpected-response', (request, response) => {
      this.#failure = failureOfHandshake(response.statusCode);
      request.destroy();
      socket.terminate();
      this.#settle(socket, response.statusCode ?? 0, this.#failure);
    });
    socket.on('error', (error) => {
      this.#failure = failureOfError(error);
    });
    socket.on('close', () => this.#settle(socket, 0, this.#failure));
    return socket;
  }

  #onMessage(socket: WebSocket, data: Buffer): void {
    this.#options.traffic().receivedBytes += data.length;
    this.#settle(socket, 0, data.equals(this.#message) ? undefined : 'echo-differs');
  }

  #settle(socket: WebSocket, status: number, failure: FailureKind | undefined): void {
    if (socket !== this.#socket) return;
    const done = this.#done;
    this.#done = undefined;
    done?.(status, failure);
  }
}

function failureOfHandshake(status: number | undefined): FailureKind {
  return status !== undefined && 400 <= status ? `status-${status}` : 'handshake';
}
