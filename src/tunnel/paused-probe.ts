/**
 * Notices peers that vanish while we do not read from them.
 *
 * A paused socket reports nothing, not even an RST. A write of zero octets does. A FIN behind octets that are not read stays
 * unseen: docs/adr/0005 says why.
 */
import type { Socket } from 'node:net';

/**
 * Time between probes of a connection that HTTP/2 over TLS uses, in milliseconds. After a write that failed, Node may hold all
 * later ones back and read no more, and tell nobody (20.20): the other end's death was then found out by its pings alone.
 */
export const http2ProbeIntervalMs = 1_000;
/** Time between probes unless another one is wanted, in milliseconds. */
const defaultIntervalMs = 50;
const nothing = Buffer.alloc(0);

/** Probes a set of sockets with one timer. */
export class PausedProbe {
  readonly #intervalMs: number;
  readonly #sockets = new Set<Socket>();
  /** Those of which the last probe has not left: more of them would only queue. */
  readonly #probing = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs = defaultIntervalMs) {
    this.#intervalMs = intervalMs;
  }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    this.#timer ??= setInterval(() => this.#probe(), this.#intervalMs);
  }

  /** Probes a socket until it closes. */
  addUntilClosed(socket: Socket): void {
    if (socket.closed) return;
    this.add(socket);
    socket.once('close', () => this.remove(socket));
  }

  remove(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#probing.delete(socket);
    if (this.#sockets.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #probe(): void {
    for (const socket of this.#sockets) {
      if (socket.destroyed || socket.writableNeedDrain || this.#probing.has(socket)) continue;
      this.#probing.add(socket);
      socket.write(nothing, () => this.#probing.delete(socket));
    }
  }
}
