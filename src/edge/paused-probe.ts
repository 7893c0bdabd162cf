/**
 * Notices clients that vanish while we do not read from them.
 *
 * A paused socket reports nothing, not even an RST. A write of zero octets does. A FIN behind octets that are not read stays
 * unseen: docs/adr/0005 says why.
 */
import type { Socket } from 'node:net';

/** Time between probes, in milliseconds. */
const intervalMs = 50;
const nothing = Buffer.alloc(0);

/** Probes a set of paused sockets with one timer. */
export class PausedProbe {
  readonly #sockets = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  add(socket: Socket): void {
    this.#sockets.add(socket);
    this.#timer ??= setInterval(() => this.#probe(), intervalMs);
  }

  remove(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #probe(): void {
    for (const socket of this.#sockets) {
      if (!socket.destroyed && !socket.writableNeedDrain) socket.write(nothing);
    }
  }
}
