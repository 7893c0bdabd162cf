/**
 * How long a connection is read on after its last answer. Closed while its client still sends, it would answer with an RST,
 * which takes from many clients what they have not read yet (RFC 9112 section 9.6, Tear-down).
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

/** A client that sends nothing is waited for so long, in milliseconds. */
const silenceMs = 2000;
/** One that goes on with its upload, so long. */
const longestMs = 30_000;

/** The end of one connection, from when everything has left for the client. */
export class Linger {
  readonly #timer: NodeJS.Timeout;
  readonly #endMs = performance.now() + longestMs;

  constructor(socket: Socket) {
    this.#timer = setTimeout(() => socket.destroy(), silenceMs).unref();
  }

  /** The client has sent something. */
  moved(): void {
    if (performance.now() < this.#endMs) this.#timer.refresh();
  }
}
