/**
 * One request of an HTTP/2 client: a stream of its connection on one side, an exchange on the other.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { failureResponse } from '../http/failure-page.ts';
import { type FieldLine, type FieldLines, fieldValues } from '../http/field-line.ts';
import type { ClientFacts } from '../http/forwarding.ts';
import { fieldsForHttp2, requestFromHttp2, responseForHttp2 } from '../http/http2-head.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';
import { isAllowedTrailer } from '../http/trailer-fields.ts';
import { keptPiece } from '../tunnel/kept-piece.ts';
import { readPatience } from './client-patience.ts';
import type { ClientExchange, ExchangeOpener, Responder } from './client-ports.ts';
import type { EdgeLimits } from './edge-options.ts';

/** While so many frames besides DATA wait for a client, it gets no interim answers; a count. */
const maxWaitingFrames = 100;

/** What a stream needs of its connection. */
export interface Http2ExchangeContext {
  readonly opener: ExchangeOpener;
  readonly limits: EdgeLimits;
  readonly facts: ClientFacts;
  /** Why nothing is done for the connection; each of its requests is answered with it. */
  readonly refusal: GiraffeError | undefined;
}

/** The front half of one exchange over HTTP/2. */
export class Http2Exchange implements Responder {
  readonly #stream: ServerHttp2Stream;
  readonly #context: Http2ExchangeContext;
  #exchange: ClientExchange | undefined;
  #request: RequestHead | undefined;
  #isRequestDone: boolean;
  #isAnswered = false;
  #isHeld = false;
  #trailers: FieldLines = [];
  #answerTrailers: FieldLines = [];
  /** When the client last sent or took something. */
  #movedAtMs = performance.now();

  /** @param isEnd Whether the request has no body. */
  constructor(stream: ServerHttp2Stream, isEnd: boolean, context: Http2ExchangeContext) {
    this.#stream = stream;
    this.#context = context;
    this.#isRequestDone = isEnd;
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('trailers', (_fields: object, _flags: number, raw: readonly string[]) => {
      this.#trailers = fieldLines(raw).filter(isAllowedTrailer);
    });
    stream.on('end', () => this.#requestEnded());
    stream.on('wantTrailers', () => stream.sendTrailers(fieldsForHttp2(this.#answerTrailers)));
    // What is wrong with a stream also closes it.
    stream.on('error', () => {});
    stream.on('close', () => this.#closed());
  }

  /** Reads the head and sends the request on its way. */
  begin(rawHeaders: readonly string[]): void {
    const { opener, facts, limits, refusal } = this.#context;
    try {
      if (refusal !== undefined) throw refusal;
      if (sizeOf(rawHeaders) > limits.maxHeadBytes) throw new GiraffeError('GIR_ERR_REQUEST_HEADERS_TOO_LARGE');
      this.#request = requestFromHttp2(rawHeaders, this.#isRequestDone);
    } catch (error) {
      opener.reject(GiraffeError.from(error), facts, this);
      return;
    }
    const exchange = opener.open({ head: this.#request, upgrade: undefined, facts }, this);
    if (!this.#isAnswered) this.#exchange = exchange;
    if (this.#isRequestDone) this.#exchange?.bodyEnd([]);
  }

  /** Applies the time limits; called about once a second. */
  sweep(nowMs: number): void {
    const { bodyIdleTimeoutMs } = this.#context.limits;
    const idleMs = nowMs - this.#movedAtMs;
    if (this.#stream.writableLength > 0) {
      if (idleMs <= bodyIdleTimeoutMs * readPatience) return;
      this.#exchange?.clientFailed(new GiraffeError('GIR_ERR_CLIENT_STALLED'));
      this.#stream.close(constants.NGHTTP2_CANCEL);
    } else if (!this.#isRequestDone && !this.#isHeld && idleMs > bodyIdleTimeoutMs) {
      this.#exchange?.clientFailed(new GiraffeError('GIR_ERR_REQUEST_TIMEOUT', 'the request body stopped'));
    }
  }

  // Answers, from the exchange.

  interim(head: ResponseHead): void {
    // They are subject to no window: a client that does not read does without them.
    if (this.#canRespond && (this.#stream.session?.state.outboundQueueSize ?? 0) < maxWaitingFrames)
      this.#stream.additionalHeaders(responseForHttp2(head));
  }

  head(head: ResponseHead): void {
    if (!this.#canRespond) return;
    const endStream = head.body.kind === 'none';
    this.#stream.respond(responseForHttp2(head), { endStream, waitForTrailers: !endStream });
  }

  switchProtocols(): void {
    // Never called: a request over HTTP/2 has no Upgrade (RFC 9113 section 8.2.2).
    this.abort();
  }

  data(chunk: Buffer): void {
    const exchange = this.#exchange;
    // What the callback names is kept with it.
    const bytes = chunk.length;
    this.#stream.write(keptPiece(chunk, this.#stream.writableLength), () => {
      this.#movedAtMs = performance.now();
      exchange?.consumed(bytes);
    });
  }

  end(trailers: FieldLines): void {
    this.#answerTrailers = trailers;
    this.#answered();
  }

  fail(error: GiraffeError, requestId: string): void {
    const { head, body } = failureResponse(error, {
      requestId,
      accept: this.#request === undefined ? undefined : fieldValues(this.#request.fields, 'accept').join(','),
      isHead: this.#request?.method === 'HEAD',
    });
    const date: FieldLine = ['Date', new Date().toUTCString()];
    this.head({ ...head, fields: [date, ...head.fields] });
    if (body.length > 0) this.#stream.write(body);
    this.#answered();
  }

  takeBackHead(): boolean {
    return false;
  }

  abort(): void {
    this.#isAnswered = true;
    this.#exchange = undefined;
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  resume(): void {
    this.#isHeld = false;
    this.#movedAtMs = performance.now();
    this.#stream.resume();
  }

  // The stream.

  get #canRespond(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.headersSent;
  }

  #read(chunk: Buffer): void {
    this.#movedAtMs = performance.now();
    if (this.#exchange === undefined || this.#exchange.body(chunk)) return;
    this.#isHeld = true;
    this.#stream.pause();
  }

  #requestEnded(): void {
    if (this.#isRequestDone) return;
    this.#isRequestDone = true;
    this.#exchange?.bodyEnd(this.#trailers);
  }

  /** Ends the answer. Of a request that is still arriving nobody needs the rest (RFC 9113 section 8.1). */
  #answered(): void {
    this.#isAnswered = true;
    const stream = this.#stream;
    stream.end();
    if (this.#isRequestDone) return;
    stream.once('finish', () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
    stream.resume();
  }

  #closed(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (!this.#isAnswered) exchange?.clientFailed(new GiraffeError('GIR_ERR_CLIENT_GONE'));
  }
}

function fieldLines(raw: readonly string[]): FieldLine[] {
  const lines: FieldLine[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) lines.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return lines;
}

/** Size of a header section as HTTP/2 counts it, in octets (RFC 9113 section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE). */
function sizeOf(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((bytes, text) => bytes + text.length + 16, 0);
}
