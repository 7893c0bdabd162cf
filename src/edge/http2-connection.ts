/**
 * One client connection that speaks HTTP/2: hands each of its streams to an exchange, and keeps them within limits.
 *
 * Frames are Node's business. What is ours is how many streams there may be, how long a client may be idle, and that a
 * drain ends behind what is in flight.
 */
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import type { ClientFront, ConnectionContext } from './client-front.ts';
import { readPatience } from './client-patience.ts';
import { Http2Exchange } from './http2-exchange.ts';

/** Requests of one client at once. RFC 9113 section 6.5.2 recommends at least 100. */
const maxStreams = 250;
/** What a client may send before it is read, in octets: for each stream, and for all of them. */
const streamWindowBytes = 256 * 1024;
const connectionWindowBytes = 1024 * 1024;
/**
 * What Node may hold for one connection, in units of 1,000,000 octets: out of reach. Node never takes off its count what a
 * stream that is reset had waiting (20.20 and 24.21), so with any bound, a client that gives up some hundred downloads loses
 * its connection and all that is on it. What really waits is bounded by windows and by the credit of sessions.
 */
const sessionMemoryMegabytes = 1_000_000;
/** Pseudo-header fields of a request, beside its field lines. */
const pseudoFields = 4;
/** When everything has left for a client, it has so long to close its side as well, in milliseconds. */
const lingerMs = 2000;

/** One HTTP/2 client. */
export class Http2Connection implements ClientFront {
  readonly #socket: TLSSocket;
  readonly #session: ServerHttp2Session;
  readonly #context: ConnectionContext;
  readonly #exchanges = new Set<Http2Exchange>();
  #idleSinceMs = performance.now();
  /** Since when the client is waited for to take what is left for it, or then to close; undefined before the end. */
  #endingSinceMs: number | undefined;
  #hasServed = false;

  constructor(socket: TLSSocket, context: ConnectionContext) {
    const { limits } = context;
    this.#socket = socket;
    this.#context = { ...context, facts: { ...context.facts, version: '2' }, isDraining: () => context.isDraining() };
    const session = performServerHandshake(socket, {
      maxHeaderListPairs: limits.maxFieldLines + pseudoFields,
      maxSessionMemory: sessionMemoryMegabytes,
      settings: {
        enablePush: false,
        maxConcurrentStreams: maxStreams,
        initialWindowSize: streamWindowBytes,
        // Twice our limit, so that a head above it gets a 431 and no reset.
        maxHeaderListSize: limits.maxHeadBytes * 2,
      },
    });
    this.#session = session;
    session.setLocalWindowSize(connectionWindowBytes);
    session.on('stream', (stream: ServerHttp2Stream, _fields: object, _flags: number, rawHeaders: readonly string[]) =>
      this.#serve(stream, rawHeaders),
    );
    // A session that fails also closes.
    session.on('error', () => {});
    session.on('close', () => context.onClosed(this));
    // Half-open sockets stay until somebody ends them, and a client that says no more can grant no window either.
    socket.once('end', () => this.destroy());
    socket.once('finish', () => {
      this.#endingSinceMs = performance.now();
    });
  }

  get hasServed(): boolean {
    return this.#hasServed;
  }

  drain(): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
    // Node waits for what is being written, and a client that has stopped reading takes it never.
    this.#socket.destroy();
  }

  sweep(nowMs: number): void {
    for (const exchange of this.#exchanges) exchange.sweep(nowMs);
    if (this.#exchanges.size > 0) return;
    if (this.#session.closed) return this.#sweepEnding(nowMs);
    const { keepAliveTimeoutMs, headTimeoutMs } = this.#context.limits;
    const limitMs = this.#hasServed ? keepAliveTimeoutMs : headTimeoutMs;
    if (nowMs - this.#idleSinceMs <= limitMs) return;
    this.#context.opener.gaveUp('GIR_ERR_CLIENT_IDLE', this.#context.facts);
    this.drain();
  }

  /** Node ends our side and waits for the client's, for ever. */
  #sweepEnding(nowMs: number): void {
    this.#endingSinceMs ??= nowMs;
    const { bodyIdleTimeoutMs } = this.#context.limits;
    const patienceMs = this.#socket.writableFinished ? lingerMs : bodyIdleTimeoutMs * readPatience;
    if (nowMs - this.#endingSinceMs > patienceMs) this.destroy();
  }

  #serve(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    const exchange = new Http2Exchange(stream, stream.endAfterHeaders, this.#context);
    this.#hasServed = true;
    this.#exchanges.add(exchange);
    stream.once('close', () => {
      this.#exchanges.delete(exchange);
      this.#idleSinceMs = performance.now();
    });
    exchange.begin(rawHeaders);
    if (this.#context.refusal !== undefined || this.#context.isDraining()) this.drain();
  }
}
