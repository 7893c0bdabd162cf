/**
 * One client connection: reads requests one after the other, and writes their answers.
 *
 * It knows HTTP/1.1 on a socket and nothing of tunnels; what happens to a
 * request is decided behind {@link ExchangeOpener}.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { failureResponse } from '../http/failure-page.ts';
import { type FieldLine, type FieldLines, fieldValues } from '../http/field-line.ts';
import { isBodyEmpty, type RequestHead, type ResponseHead } from '../http/message.ts';
import { connectionValue, isPersistent, persistenceOption } from '../http/persistence.ts';
import { RequestParser, type RequestSink } from '../http/request-parser.ts';
import { requestedUpgrade } from '../http/upgrade.ts';
import { breakOff } from '../tunnel/break-off.ts';
import type { ClientFront, ConnectionContext } from './client-front.ts';
import { ClientPatience, type Owed } from './client-patience.ts';
import type { ClientExchange, Responder } from './client-ports.ts';
import { ClientReading } from './client-reading.ts';
import { HalfCloseWatch } from './half-close-watch.ts';
import { Linger } from './linger.ts';
import { ResponseWriter } from './response-writer.ts';

/** Octets of further (pipelined) requests that are held while one is being answered. */
const maxHeldBytes = 64 * 1024;

/** Where the connection stands with the current response. */
type ResponsePhase = 'none' | 'started' | 'relay' | 'done';

/** One client connection. */
export class ClientConnection implements ClientFront, RequestSink, Responder {
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
  readonly #reading: ClientReading;
  #halfCloseWatch: HalfCloseWatch | undefined;
  readonly #patience: ClientPatience;
  #hasServed = false;
  #linger: Linger | undefined;

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#parser = new RequestParser(this, context.limits);
    this.#writer = new ResponseWriter(socket);
    this.#reading = new ClientReading(socket, context.pausedProbe);
    this.#patience = new ClientPatience(context.limits, performance.now());
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

  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Ends an idle connection; a busy one ends behind its answer. */
  drain(): void {
    this.#keepsAlive = false;
    if (this.isIdle) this.#closeGently();
  }

  /** Drops the connection. An answer on its way ends with an RST: what came of it must not look whole. */
  destroy(): void {
    if (this.#phase === 'started' || this.#socket.writableLength > 0) breakOff(this.#socket);
    else this.#socket.destroy();
  }

  /** Applies the time limits; called about once a second. */
  sweep(nowMs: number): void {
    if (this.#phase === 'relay') return;
    switch (this.#patience.exhausted(nowMs, this.#socket, this.#owed())) {
      case 'taking':
        this.#gaveUp('GIR_ERR_CLIENT_STALLED');
        this.#exchange?.clientFailed(new GiraffeError('GIR_ERR_CLIENT_STALLED'));
        this.#socket.destroy();
        break;
      case 'next-request':
        this.#gaveUp('GIR_ERR_CLIENT_IDLE');
        this.#closeGently();
        break;
      case 'head':
        this.#timeOutHead();
        break;
      case 'body':
        this.#exchange?.clientFailed(new GiraffeError('GIR_ERR_REQUEST_TIMEOUT', 'the request body stopped'));
        break;
      case 'nothing':
    }
  }

  #owed(): Owed {
    if (this.#isClosing) return 'nothing';
    if (this.#exchange === undefined) return this.#parser.state === 'idle' && this.#hasServed ? 'next-request' : 'head';
    return this.#isRequestDone || this.#reading.isHeld ? 'nothing' : 'body';
  }

  // Requests, from the parser.

  onHead(head: RequestHead): void {
    this.#request = head;
    this.#phase = 'none';
    this.#isRequestDone = isBodyEmpty(head);
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
    if (this.#exchange !== undefined && !this.#exchange.body(chunk)) this.#reading.hold();
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
    this.#reading.resume();
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
    this.#reading.unhold();
    this.#patience.renew(performance.now());
    this.#reading.resume();
  }

  // The socket.

  #read(chunk: Buffer): void {
    if (this.#isClosing) return this.#linger?.moved();
    if (this.#parser.state !== 'head') this.#patience.renew(performance.now());
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
    if (this.#parser.restBytes > maxHeldBytes) this.#reading.pause();
  }

  /** The client broke the rules: it gets one answer, and nothing it sends afterwards is looked at. */
  #refuse(error: GiraffeError): void {
    this.#keepsAlive = false;
    this.#isRequestDone = false;
    if (this.#exchange !== undefined) return this.#exchange.clientFailed(error);
    this.#context.opener.reject(error, this.#context.facts, this);
  }

  #persistence(): string | undefined {
    return persistenceOption(this.#keepsAlive, this.#request?.minorVersion);
  }

  #isAnswered(): boolean {
    return this.#phase === 'done';
  }

  #timeOutHead(): void {
    if (this.#parser.state !== 'idle') {
      return this.#refuse(new GiraffeError('GIR_ERR_REQUEST_TIMEOUT', 'the request head stopped'));
    }
    this.#gaveUp('GIR_ERR_CLIENT_IDLE');
    this.#socket.destroy();
  }

  #gaveUp(code: ErrorCode): void {
    this.#context.opener.gaveUp(code, this.#context.facts);
  }

  #afterAnswer(): void {
    this.#halfCloseWatch?.stop();
    this.#exchange = undefined;
    // An exchange that is over does not ask to go on any more.
    this.#reading.unhold();
    if (!this.#keepsAlive) return this.#closeGently();
    if (!this.#isRequestDone) return;
    this.#patience.renew(performance.now());
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
    this.#reading.resume();
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
    this.#reading.unhold();
    this.#reading.resume();
    if (this.#socket.readableEnded) return;
    // From when everything has left: a client may take its time for that, which sweep() watches.
    const linger = (): void => {
      this.#linger = new Linger(this.#socket);
    };
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
    this.#reading.end();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    const isWhole = this.#hasRelayEnded && this.#socket.readableEnded;
    if (!isWhole) exchange?.clientFailed(new GiraffeError('GIR_ERR_CLIENT_GONE'));
    this.#context.onClosed(this);
  }
}
