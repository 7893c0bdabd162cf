/**
 * One client connection: reads requests one after the other, and writes their answers.
 *
 * It knows HTTP/1.1 on a socket and nothing of tunnels; what happens to a
 * request is decided behind {@link ExchangeOpener}.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { failureResponse } from '../http/failure-page.ts';
import { type FieldLine, type FieldLines, fieldValues, listMembers } from '../http/field-line.ts';
import type { ClientFacts } from '../http/forwarding.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';
import { RequestParser, type RequestSink } from '../http/request-parser.ts';
import { requestedUpgrade } from '../http/upgrade.ts';
import type { ClientExchange, ExchangeOpener, Responder } from './client-ports.ts';
import type { EdgeLimits } from './edge-options.ts';
import { HalfCloseWatch } from './half-close-watch.ts';
import type { PausedProbe } from './paused-probe.ts';
import { ResponseWriter } from './response-writer.ts';

/** Octets of further (pipelined) requests that are held while one is being answered. */
const maxHeldBytes = 64 * 1024;
/**
 * A client that takes nothing is given so many times the idle limit: the system tells of what it took only in steps of
 * about a megabyte, so that slow and stopped look alike for minutes.
 */
const readPatience = 5;
/** After a last answer, what the client still sends is read and dropped for so long, in milliseconds. */
const lingerMs = 2000;

/** What a connection needs from its listener. */
export interface ConnectionContext {
  readonly opener: ExchangeOpener;
  readonly limits: EdgeLimits;
  readonly facts: ClientFacts;
  readonly pausedProbe: PausedProbe;
  /** True once the edge drains: every answer is the last one of its connection. */
  isDraining(): boolean;
  /** Why nothing is done for this connection, as when it is above a limit; its first request is answered with it. */
  readonly refusal: GiraffeError | undefined;
  onClosed(connection: ClientConnection): void;
}

/** Where the connection stands with the current response. */
type ResponsePhase = 'none' | 'started' | 'relay' | 'done';

/** One client connection. */
export class ClientConnection implements RequestSink, Responder {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #parser: RequestParser;
  readonly #writer: ResponseWriter;
  #exchange: ClientExchange | undefined;
  #request: RequestHead | undefined;
  #isRequestDone = false;
  #phase: ResponsePhase = 'none';
  #keepsAlive = true;
  #isClosing = false;
  #hasRelayEnded = false;
  #isPausedByExchange = false;
  #halfCloseWatch: HalfCloseWatch | undefined;
  /** When the current wait began: for a head, for body octets, for the next request. */
  #waitingSinceMs = performance.now();
  #hasServed = false;
  /** Octets that have left for the client, and since when it is so many. */
  #taken = { bytes: 0, sinceMs: 0 };

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#parser = new RequestParser(this, context.limits);
    this.#writer = new ResponseWriter(socket);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#clientEnded());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
  }

  /** True when no request is being read or answered. */
  get isIdle(): boolean {
    return this.#exchange === undefined && this.#parser.state === 'idle';
  }

  /** Ends an idle connection; a busy one ends behind its answer. */
  drain(): void {
    this.#keepsAlive = false;
    if (this.isIdle) this.#closeGently();
  }

  /** Drops the connection. An answer on its way ends with an RST: what came of it must not look whole. */
  destroy(): void {
    if (this.#phase === 'started' || this.#socket.writableLength > 0) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** Applies the time limits; called about once a second. */
  sweep(nowMs: number): void {
    const { limits } = this.#context;
    if (this.#phase === 'relay') return;
    const isTaking = this.#sweepWrites(nowMs, limits.bodyIdleTimeoutMs * readPatience);
    if (isTaking || this.#isClosing) return;
    const waitedMs = nowMs - this.#waitingSinceMs;
    if (this.#exchange === undefined) {
      const isBetweenRequests = this.#parser.state === 'idle' && this.#hasServed;
      if (isBetweenRequests && waitedMs > limits.keepAliveTimeoutMs) return this.#closeGently();
      if (!isBetweenRequests && waitedMs > limits.headTimeoutMs) this.#timeOutHead();
      return;
    }
    const waitsForBody = !this.#isRequestDone && !this.#isPausedByExchange;
    if (waitsForBody && waitedMs > limits.bodyIdleTimeoutMs) {
      this.#exchange.clientFailed(new GiraffeError('GIR_ERR_REQUEST_TIMEOUT', 'the request body stopped'));
    }
  }

  // Requests, from the parser.

  onHead(head: RequestHead): void {
    this.#request = head;
    this.#phase = 'none';
    this.#isRequestDone = head.body.kind === 'none';
    this.#keepsAlive = isPersistent(head) && !this.#context.isDraining();
    this.#hasServed = true;
    const upgrade = requestedUpgrade(head);
    if (upgrade !== undefined) {
      // What follows belongs to the new protocol, or to the next request if there is no switch: it waits here.
      this.#parser.stop();
      this.#isRequestDone = true;
    }
    this.#exchange = this.#context.opener.open({ head, upgrade, facts: this.#context.facts }, this);
    if (this.#isAnswered()) this.#exchange = undefined;
  }

  onBody(chunk: Buffer): void {
    if (this.#exchange !== undefined && !this.#exchange.body(chunk)) this.#pauseForExchange();
  }

  onEnd(trailers: FieldLines): void {
    const wasDone = this.#isRequestDone;
    this.#isRequestDone = true;
    this.#exchange?.bodyEnd(trailers);
    if (!wasDone && this.#isAnswered()) this.#afterAnswer();
  }

  // Answers, from the exchange.

  interim(head: ResponseHead): void {
    // They are subject to no credit: a client that does not read does without them.
    if (this.#request?.minorVersion !== 1 || this.#socket.writableNeedDrain) return;
    this.#writer.head({ ...head, body: { kind: 'none' } }, undefined);
  }

  head(head: ResponseHead): void {
    this.#phase = 'started';
    const isOldClient = this.#request?.minorVersion === 0;
    const isDelimited = head.body.kind === 'none' || head.body.kind === 'length';
    // Whoever refuses a request that is still arriving will not read the rest, and says so (RFC 9110 section 10.1.1).
    const isEarlyRefusal = !this.#isRequestDone && head.status >= 300;
    if (this.#context.isDraining() || (isOldClient && !isDelimited) || isEarlyRefusal) this.#keepsAlive = false;
    const framed: ResponseHead = isDelimited
      ? head
      : { ...head, body: { kind: isOldClient ? 'until-close' : 'chunked' } };
    this.#writer.head(framed, connectionValue(head, this.#persistence()));
  }

  switchProtocols(head: ResponseHead): void {
    this.#phase = 'relay';
    this.#keepsAlive = false;
    this.#writer.head({ ...head, body: { kind: 'none' } }, 'Upgrade');
    this.#writer.raw();
    const rest = this.#parser.takeRest();
    this.#resumeReading();
    if (rest !== undefined) this.onBody(rest);
    if (this.#socket.readableEnded) this.#exchange?.bodyEnd([]);
  }

  data(chunk: Buffer): void {
    this.#writer.data(chunk, this.#exchange);
  }

  end(trailers: FieldLines): void {
    if (this.#phase === 'relay') {
      this.#hasRelayEnded = true;
      this.#writer.finish();
      return;
    }
    this.#writer.end(trailers);
    this.#phase = 'done';
    // An exchange that ends while its request is still arriving has answered early; nothing reads the rest.
    if (!this.#isRequestDone) this.#keepsAlive = false;
    this.#afterAnswer();
  }

  fail(error: GiraffeError, requestId: string): void {
    this.#phase = 'done';
    if (!this.#isRequestDone) this.#keepsAlive = false;
    const { head, body } = failureResponse(error, {
      requestId,
      accept: this.#request === undefined ? undefined : fieldValues(this.#request.fields, 'accept').join(','),
      isHead: this.#request?.method === 'HEAD',
    });
    const date: FieldLine = ['Date', new Date().toUTCString()];
    this.#writer.head({ ...head, fields: [date, ...head.fields] }, this.#persistence());
    if (body.length > 0) this.#writer.data(body);
    this.#afterAnswer();
  }

  takeBackHead(): boolean {
    return this.#phase === 'started' && this.#writer.takeBackHead();
  }

  abort(): void {
    this.#phase = 'done';
    // An RST, so that not even a response delimited by the end of the connection looks whole.
    this.#writer.abort();
  }

  resume(): void {
    this.#isPausedByExchange = false;
    this.#waitingSinceMs = performance.now();
    this.#resumeReading();
  }

  // The socket.

  #read(chunk: Buffer): void {
    if (this.#isClosing) return;
    this.#waitingSinceMs = this.#parser.state === 'head' ? this.#waitingSinceMs : performance.now();
    if (this.#phase === 'relay') return this.onBody(chunk);
    if (this.#context.refusal !== undefined && this.#exchange === undefined) return this.#refuse(this.#context.refusal);
    this.#parse(chunk);
  }

  #parse(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#refuse(GiraffeError.from(error));
    }
    if (this.#parser.restBytes > maxHeldBytes) this.#pauseReading();
  }

  /** The client broke the rules: it gets one answer, and nothing it sends afterwards is looked at. */
  #refuse(error: GiraffeError): void {
    this.#keepsAlive = false;
    this.#isRequestDone = false;
    if (this.#exchange !== undefined) return this.#exchange.clientFailed(error);
    this.#context.opener.reject(error, this.#context.facts, this);
  }

  /** What Connection says about ours; undefined for what the client takes for granted (RFC 9112 section 9.3). */
  #persistence(): string | undefined {
    if (!this.#keepsAlive) return 'close';
    return this.#request?.minorVersion === 0 ? 'keep-alive' : undefined;
  }

  #isAnswered(): boolean {
    return this.#phase === 'done';
  }

  #timeOutHead(): void {
    if (this.#parser.state === 'idle') this.#socket.destroy();
    else this.#refuse(new GiraffeError('GIR_ERR_REQUEST_TIMEOUT', 'the request head stopped'));
  }

  #afterAnswer(): void {
    this.#halfCloseWatch?.stop();
    this.#exchange = undefined;
    // An exchange that is over does not ask to go on any more.
    this.#isPausedByExchange = false;
    if (!this.#keepsAlive) return this.#closeGently();
    if (!this.#isRequestDone) return;
    this.#waitingSinceMs = performance.now();
    // Behind the current call: answers to pipelined requests must not pile up on the stack.
    process.nextTick(() => this.#readNext());
  }

  #readNext(): void {
    if (this.#socket.destroyed || this.#exchange !== undefined) return;
    // Who does not read the answers gets no further ones, or a flood of requests would fill our memory with them.
    if (this.#socket.writableNeedDrain) {
      this.#socket.once('drain', () => this.#readNext());
      return;
    }
    this.#request = undefined;
    this.#parser.next();
    const rest = this.#parser.takeRest();
    this.#resumeReading();
    if (rest === undefined) {
      if (this.#context.isDraining() || this.#socket.readableEnded) this.#closeGently();
      return;
    }
    this.#parse(rest);
    // A FIN came behind requests that were held until now.
    if (this.#socket.readableEnded) this.#clientEnded();
  }

  /** Ends our side, then reads and drops what still comes, so that no RST overtakes the answer. */
  #closeGently(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#writer.finish();
    this.#resumeReading();
    if (this.#socket.readableEnded) return;
    // From when everything has left: a client may take its time for that, which sweep() watches.
    const linger = (): void => void setTimeout(() => this.#socket.destroy(), lingerMs).unref();
    if (this.#socket.writableFinished) linger();
    else this.#socket.once('finish', linger);
  }

  #clientEnded(): void {
    if (this.#phase === 'relay') {
      this.#exchange?.bodyEnd([]);
      return;
    }
    if (this.#isClosing) return;
    if (this.#exchange === undefined) {
      // In any other state a request has been answered just now, and what is held behind it comes next.
      if (this.#parser.state === 'idle' || this.#parser.state === 'head') this.#writer.finish();
      return;
    }
    if (!this.#isRequestDone) return this.destroy();
    this.#halfCloseWatch = new HalfCloseWatch(this.#socket, {
      isHeadSent: () => this.#phase !== 'none',
      acceptsInterim: this.#request?.minorVersion === 1,
      onGone: () => this.destroy(),
    });
  }

  #closed(): void {
    this.#halfCloseWatch?.stop();
    this.#context.pausedProbe.remove(this.#socket);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    const isWhole = this.#hasRelayEnded && this.#socket.readableEnded;
    if (!isWhole) exchange?.clientFailed(new GiraffeError('GIR_ERR_CLIENT_GONE'));
    this.#context.onClosed(this);
  }

  #pauseForExchange(): void {
    this.#isPausedByExchange = true;
    this.#pauseReading();
  }

  #pauseReading(): void {
    if (this.#socket.isPaused()) return;
    this.#socket.pause();
    this.#context.pausedProbe.add(this.#socket);
  }

  #resumeReading(): void {
    if (this.#isPausedByExchange && !this.#isClosing) return;
    this.#context.pausedProbe.remove(this.#socket);
    this.#socket.resume();
  }

  /** Whether something waits for the client. One that takes nothing of it is cut off; its other waits begin later. */
  #sweepWrites(nowMs: number, limitMs: number): boolean {
    const { bytesWritten, writableLength } = this.#socket;
    const takenBytes = bytesWritten - writableLength;
    if (writableLength === 0 || takenBytes !== this.#taken.bytes) this.#taken = { bytes: takenBytes, sinceMs: nowMs };
    else if (nowMs - this.#taken.sinceMs > limitMs) this.#socket.destroy();
    if (writableLength > 0) this.#waitingSinceMs = nowMs;
    return writableLength > 0;
  }
}

/** Returns the value of Connection: who sends Upgrade, as a 426 does, names it there (RFC 9110 section 7.8). */
function connectionValue({ status, fields }: ResponseHead, persistence: string | undefined): string | undefined {
  if (status !== 426 || fieldValues(fields, 'upgrade').length === 0) return persistence;
  return persistence === undefined ? 'Upgrade' : `${persistence}, Upgrade`;
}

/**
 * Says whether the client wants to keep the connection (RFC 9112 section 9.3). Not after CONNECT: what follows it was
 * meant for somebody else, and is no request.
 */
function isPersistent(head: RequestHead): boolean {
  if (head.method === 'CONNECT') return false;
  const options = listMembers(head.fields, 'connection');
  if (options.includes('close')) return false;
  return head.minorVersion === 1 || options.includes('keep-alive');
}
