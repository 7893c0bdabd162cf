/**
 * Whether a client's socket is being read. While it is not, a probe notices if the client vanishes.
 */
import type { Socket } from 'node:net';
import type { PausedProbe } from '../tunnel/paused-probe.ts';

/** The reading half of a client's socket. */
export class ClientReading {
  readonly #socket: Socket;
  readonly #probe: PausedProbe;
  #isHeld = false;

  constructor(socket: Socket, probe: PausedProbe) {
    this.#socket = socket;
    this.#probe = probe;
  }

  /** True from {@link hold} to {@link unhold}. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Reads no more until {@link unhold}: who takes the octets has no room for them. */
  hold(): void {
    this.#isHeld = true;
    this.pause();
  }

  /** Takes {@link hold} back; {@link resume} reads on. */
  unhold(): void {
    this.#isHeld = false;
  }

  /** Reads no more for now. */
  pause(): void {
    if (this.#socket.isPaused()) return;
    this.#socket.pause();
    this.#probe.add(this.#socket);
  }

  /** Reads on, unless the reading is held. */
  resume(): void {
    if (this.#isHeld) return;
    this.#probe.remove(this.#socket);
    this.#socket.resume();
  }

  /** The socket is gone. */
  end(): void {
    this.#probe.remove(this.#socket);
  }
}
