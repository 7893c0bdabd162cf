/**
 * Finds out whether a client that sent FIN only finished sending, or is gone.
 *
 * Both look the same on the wire until something is sent: a closed socket
 * answers with RST. So before the response head an interim 100 is sent, which
 * every HTTP/1.1 client must accept (RFC 9110 section 15.2), and a write of zero
 * octets then reports the RST. Once the head is out, the response itself is the
 * probe; when nothing of it moves either, the client counts as gone.
 */
import type { Socket } from 'node:net';

/** Time between looks, in milliseconds. */
const intervalMs = 15;
/** Looks after the probe before the client counts as there. */
const probeLooks = 4;
/** Looks without any movement before a client that closed in mid-response counts as gone. */
const idleLooks = 3;

const nothing = Buffer.alloc(0);
const interimProbe = 'HTTP/1.1 100 Continue\r\n\r\n';

/** What the watch has to know about the connection, at the time it looks. */
export interface HalfCloseFacts {
  isHeadSent(): boolean;
  /** False for HTTP/1.0, which has no interim responses. */
  readonly acceptsInterim: boolean;
  /** The client is gone. An RST is reported by the socket's own error event instead. */
  onGone(): void;
}

/** Watches one half-closed client until {@link stop}. */
export class HalfCloseWatch {
  readonly #socket: Socket;
  readonly #facts: HalfCloseFacts;
  readonly #timer: NodeJS.Timeout;
  readonly #wasHeadSent: boolean;
  #looks = 0;
  #stillLooks = 0;
  #lastBytes: number;

  constructor(socket: Socket, facts: HalfCloseFacts) {
    this.#socket = socket;
    this.#facts = facts;
    this.#wasHeadSent = facts.isHeadSent();
    this.#lastBytes = socket.bytesWritten;
    this.#timer = setInterval(() => this.#look(), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#looks += 1;
    if (this.#wasHeadSent) this.#lookForMovement();
    else this.#probe();
    if (!this.#socket.destroyed && !this.#socket.writableNeedDrain) this.#socket.write(nothing);
  }

  #probe(): void {
    if (!this.#facts.acceptsInterim || this.#facts.isHeadSent() || this.#looks > probeLooks) return this.stop();
    if (this.#looks === 1) this.#socket.write(interimProbe);
  }

  #lookForMovement(): void {
    const bytes = this.#socket.bytesWritten;
    this.#stillLooks = bytes === this.#lastBytes ? this.#stillLooks + 1 : 0;
    this.#lastBytes = bytes;
    if (this.#stillLooks < idleLooks) return;
    this.stop();
    this.#facts.onGone();
  }
}
