/**
 * Sends requests and leaves them, and takes down how long it takes until the origin knows.
 *
 * The two ends are processes of one machine, whose monotonic clock they share.
 */
import type { Socket } from 'node:net';
import { type Address, openSocket } from './http-caller.ts';
import { loadIdField } from './load-origin.ts';
import { bodyPiece } from './request-template.ts';

/** When a client leaves. */
export const abortPhases = ['before the head', 'in a download', 'in an upload'] as const;
/** One of them. */
export type AbortPhase = (typeof abortPhases)[number];

/** Octets of a transfer that nobody waits for. */
const endlessBytes = 100 * 1024 ** 3;

/** Sends the request of one phase. Call {@link leave} once the origin has it. */
export class AbandonedRequest {
  readonly id: string;
  readonly #socket: Socket;

  /** @param onFailure Called when the connection fails before it is left. */
  constructor(id: string, phase: AbortPhase, address: Address, authority: string, onFailure: () => void) {
    this.id = id;
    const socket = openSocket(address);
    this.#socket = socket;
    socket.on('error', onFailure);
    socket.on('data', () => undefined);
    socket.write(headOf(phase, id, authority));
    if (phase !== 'in an upload') return;
    const send = (): void => {
      while (socket.writable && socket.write(bodyPiece));
    };
    socket.on('drain', send);
    send();
  }

  /** Closes the connection and returns when, on the monotonic clock in nanoseconds. */
  leave(): bigint {
    this.#socket.removeAllListeners('error');
    this.#socket.on('error', () => undefined);
    const now = process.hrtime.bigint();
    this.#socket.destroy();
    return now;
  }
}

function headOf(phase: AbortPhase, id: string, authority: string): string {
  const fields = `Host: ${authority}\r\n${loadIdField}: ${id}\r\n`;
  switch (phase) {
    case 'before the head':
      return `GET /hold HTTP/1.1\r\n${fields}\r\n`;
    case 'in a download':
      return `GET /bytes/${endlessBytes} HTTP/1.1\r\n${fields}\r\n`;
    case 'in an upload':
      return `POST /bytes/0 HTTP/1.1\r\n${fields}Content-Length: ${endlessBytes}\r\n\r\n`;
  }
}
