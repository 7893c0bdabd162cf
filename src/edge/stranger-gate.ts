/**
 * Bounds what connections to the tunnel ports can cost before their owner is known:
 * how many there are, how long they stay, and how much they send.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

/** A stranger sends a TLS handshake and a HELLO (or a health check), and nothing near this many octets. */
const maxStrangerBytes = 256 * 1024;
/** Time between looks, in milliseconds. */
const sweepMs = 250;

interface Stranger {
  socket: Socket;
  readonly sinceMs: number;
}

/** Keeps the connections that are not authenticated yet. */
export class StrangerGate {
  readonly #maxStrangers: number;
  readonly #deadlineMs: number;
  /** In the order of their arrival, keyed by address and port. */
  readonly #strangers = new Map<string, Stranger>();
  /** By the same keys. */
  readonly #admitted = new Map<string, Socket>();
  readonly #timer: NodeJS.Timeout;

  /** @param deadlineMs How long a connection may stay without being admitted, in milliseconds. */
  constructor(maxStrangers: number, deadlineMs: number) {
    this.#maxStrangers = maxStrangers;
    this.#deadlineMs = deadlineMs;
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  /** Takes a new connection in; above the bound the oldest stranger has to leave. */
  enter(socket: Socket): void {
    // The other end has reset it already: the system has forgotten whose it was, and it would bear the name of others.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const key = gateKey(socket);
    // Its other end has gone and come back from the same port before we were told: nobody would watch it any more.
    this.#strangers.get(key)?.socket.destroy();
    this.#strangers.set(key, { socket, sinceMs: performance.now() });
    socket.once('close', () => this.#forget(key, socket));
    if (this.#strangers.size <= this.#maxStrangers) return;
    const [oldest] = this.#strangers.values();
    oldest?.socket.destroy();
  }

  /** The TLS handshake is done: `secured` is the socket to close from now on. */
  secured(secured: Socket): void {
    const key = gateKey(secured);
    const stranger = this.#strangers.get(key);
    if (stranger !== undefined) stranger.socket = secured;
    secured.once('close', () => this.#forget(key, secured));
  }

  /** The owner of the connection with this key is authenticated. */
  admit(key: string): void {
    const stranger = this.#strangers.get(key);
    if (stranger === undefined) return;
    this.#strangers.delete(key);
    this.#admitted.set(key, stranger.socket);
  }

  /** Returns the connection with this key, admitted or not; undefined when it is gone. */
  connection(key: string): Socket | undefined {
    return this.#strangers.get(key)?.socket ?? this.#admitted.get(key);
  }

  /** Drops every connection, strangers and admitted ones, and ends the watch. */
  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#strangers.values()) socket.destroy();
    for (const socket of this.#admitted.values()) socket.destroy();
  }

  #forget(key: string, socket: Socket): void {
    if (this.#strangers.get(key)?.socket === socket) this.#strangers.delete(key);
    if (this.#admitted.get(key) === socket) this.#admitted.delete(key);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const { socket, sinceMs } of this.#strangers.values()) {
      if (nowMs - sinceMs > this.#deadlineMs || socket.bytesRead > maxStrangerBytes) socket.destroy();
    }
  }
}

/** Names a connection by its other end. */
export function gateKey(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
}
