/**
 * One client request on its way through the edge, from its head to its one outcome.
 *
 * It joins the front (a {@link Responder}) and a stream of a session, and says in the end what became of it. Whom the
 * request goes to, and whether it goes a second time, is decided by its {@link UpstreamSearch}.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FixedAnswer } from '../extension/routing-strategy.ts';
import type { FieldLines } from '../http/field-line.ts';
import { assertForwardableTrailers } from '../http/field-validation.ts';
import { forwardedResponse } from '../http/forwarding.ts';
import type { ResponseHead } from '../http/message.ts';
import { encodeOpenRequest } from '../protocol/head-codec.ts';
import type { Stream, StreamSink } from '../tunnel/stream.ts';
import type { ClientExchange, Responder } from './client-ports.ts';
import { fixedResponse } from './fixed-answer.ts';
import { IdleWatch } from './idle-watch.ts';
import { type Outcome, outcomeStatus } from './outcome.ts';
import { type Admission, freeAdmission } from './policy/admission.ts';
import { type PreparedRequest, withHead, withoutField } from './prepared-request.ts';
import { maxBodyBytes, minBodyBytes, receivedResponseHead } from './received-response.ts';
import type { Upstream } from './router.ts';
import { type SearchContext, type SearchOwner, UpstreamSearch } from './upstream-search.ts';

/** Pieces of a body that wait side by side, a count: tiny ones would cost far more than their octets. */
const maxHeldPieces = 64;

/** What an exchange needs from the edge. */
export interface ExchangeContext extends SearchContext {
  onOutcome(exchange: Exchange, outcome: Outcome): void;
}

/** One exchange. */
export class Exchange implements ClientExchange, StreamSink, SearchOwner {
  #request: PreparedRequest;
  readonly #responder: Responder;
  readonly #context: ExchangeContext;
  readonly startedMs = performance.now();
  readonly #search: UpstreamSearch;
  #stream: Stream | undefined;
  #upstream: Upstream | undefined;
  #isOver = false;
  /** Whether anything of a response came, interim ones included. */
  #isAnswered = false;
  #head: ResponseHead | undefined;
  #isRelay = false;
  #isRequestEnded = false;
  #isResponseEnded = false;
  #requestBytes = 0;
  #responseBytes = 0;
  /** Body octets that arrived while there was no stream. */
  #heldBody: Buffer[] = [];
  #heldTrailers: FieldLines | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  #lastProgressMs = 0;
  #admission: Admission = freeAdmission;
  #idleWatch: IdleWatch | undefined;

  constructor(request: PreparedRequest, responder: Responder, context: ExchangeContext) {
    this.#request = request;
    this.#responder = responder;
    this.#context = context;
    this.#search = new UpstreamSearch(context, request.routing, this);
  }

  /** The request as it goes its way. */
  get request(): PreparedRequest {
    return this.#request;
  }

  /** Keeps a field of the request from the agent and its origin, before the start. `name` is lower case. */
  withhold(name: string): void {
    this.#request = withoutField(this.#request, name);
  }

  /** Puts the exchange under a policy, before the start. */
  govern(admission: Admission): void {
    this.#admission = admission;
    this.#request = withHead(this.#request, admission.requestHead(this.#request.head));
  }

  /** Sends the request on its way, unless the routing strategy answers by itself. */
  start(): void {
    if (this.#isOver) return;
    try {
      const answer = this.#context.router.answer(this.#request.routing);
      if (answer === undefined) this.#search.begin();
      else this.answer(answer);
    } catch (error) {
      this.#fail(GiraffeError.from(error));
    }
  }

  /** Ends the exchange with a failure before it went anywhere. */
  refuse(error: GiraffeError): void {
    this.#fail(error);
  }

  /** Ends the exchange with an answer of the edge's own. */
  answer(answer: FixedAnswer): void {
    const { head: plain, body } = fixedResponse(this.#request.head.method, answer);
    const head = this.#admission.responseHead(plain);
    this.#head = head;
    this.#responseBytes = body.length;
    this.#finish(undefined);
    this.#responder.head(head);
    if (body.length > 0) this.#responder.data(body);
    this.#responder.end([]);
  }

  // The client's side.

  body(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    this.#requestBytes += chunk.length;
    this.#lastProgressMs = performance.now();
    this.#idleWatch?.moved();
    if (this.#requestBytes > this.#admission.maxBodyBytes && !this.#isRelay) {
      this.#breakOff(new GiraffeError('GIR_ERR_REQUEST_BODY_TOO_LARGE'), new GiraffeError('GIR_ERR_CANCELLED'));
      return true;
    }
    if (this.#stream !== undefined) return this.#stream.sendData(chunk);
    this.#heldBody.push(chunk);
    if (this.#heldBody.length > maxHeldPieces) this.#heldBody = [Buffer.concat(this.#heldBody)];
    return false;
  }

  bodyEnd(trailers: FieldLines): void {
    if (this.#isOver || this.#isRequestEnded) return;
    this.#isRequestEnded = true;
    this.#lastProgressMs = performance.now();
    // Kept for a further stream, too: an empty body can be sent again.
    this.#heldTrailers = trailers;
    this.#stream?.sendEnd(trailers);
    this.#finishRelay();
  }

  consumed(bytes: number): void {
    this.#idleWatch?.moved();
    this.#stream?.consumed(bytes);
  }

  clientFailed(error: GiraffeError): void {
    if (this.#isOver) return;
    this.#stream?.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    if (error.code === 'GIR_ERR_CLIENT_GONE') this.#finish(error);
    else this.#fail(error);
  }

  // The stream's side.

  onHead(payload: Buffer, isInterim: boolean, isEnd: boolean): void {
    const head = receivedResponseHead(payload, isInterim, this.request);
    const forwarded = forwardedResponse(head, this.request.via);
    this.#isAnswered = true;
    if (isInterim) return this.#responder.interim(forwarded);
    clearTimeout(this.#headTimer);
    this.#head = head;
    this.#admission.answered(head.status);
    this.#watchIdleness();
    const governed = this.#admission.responseHead(withFields(forwarded, this.#upstream?.responseFields ?? []));
    if (head.status === 101) {
      this.#isRelay = true;
      this.#responder.switchProtocols(governed);
    } else {
      this.#responder.head(governed);
    }
    if (isEnd) this.onEnd([]);
  }

  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#responseBytes += chunk.length;
    this.#idleWatch?.moved();
    if (!this.#isRelay && this.#responseBytes > maxBodyBytes(this.#head)) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', 'more response body than announced');
    }
    this.#responder.data(chunk);
  }

  onEnd(trailers: FieldLines): void {
    if (this.#isOver) return;
    assertForwardableTrailers(trailers);
    this.#isResponseEnded = true;
    if (this.#isRelay) {
      this.#responder.end([]);
      this.#finishRelay();
      return;
    }
    if (this.#responseBytes < minBodyBytes(this.#head)) {
      this.#stream?.reset(new GiraffeError('GIR_ERR_PROTOCOL'));
      return this.#fail(new GiraffeError('GIR_ERR_RESPONSE_INCOMPLETE', 'less response body than announced'));
    }
    // An answer that came before the end of its request makes the rest of the request pointless.
    if (!this.#isRequestEnded) this.#stream?.reset(new GiraffeError('GIR_ERR_CANCELLED'));
    this.#finish(undefined);
    this.#responder.end(trailers);
  }

  onWritable(): void {
    if (!this.#isOver) this.#responder.resume();
  }

  onReset(error: GiraffeError): void {
    if (this.#isOver) return;
    clearTimeout(this.#headTimer);
    this.#releaseUpstream();
    // What the client sends from now on is for the next stream.
    this.#stream = undefined;
    this.#search.retry(error, !this.#isAnswered && this.#requestBytes === 0);
  }

  // The search's side.

  get requestTimeoutMs(): number {
    return this.#admission.requestTimeoutMs ?? this.#context.limits.requestTimeoutMs;
  }

  onFound(upstream: Upstream): void {
    const { session, multiplexer } = upstream;
    const { head, upgrade, routing } = this.request;
    this.#upstream = upstream;
    const windowBytes = multiplexer.reserveWindow();
    const payload = encodeOpenRequest({
      head,
      endpoint: routing.host,
      targetName: upstream.targetName,
      windowBytes,
      urgency: upstream.urgency,
      upgrade,
    });
    const isEnd = head.body.kind === 'none' && upgrade === undefined;
    if (isEnd) this.#isRequestEnded = true;
    this.#stream = multiplexer.open(session.nextStreamId(), payload, isEnd, windowBytes, this);
    if (upstream.urgency !== undefined) this.#stream.prioritize(upstream.urgency);
    this.#lastProgressMs = performance.now();
    this.#armHeadTimer(this.requestTimeoutMs);
    this.#sendHeld();
  }

  onGivenUp(error: GiraffeError): void {
    this.#fail(error);
  }

  // On the way.

  #sendHeld(): void {
    const held = this.#heldBody;
    if (held.length === 0 && this.#heldTrailers === undefined) return;
    this.#heldBody = [];
    let hasRoom = true;
    for (const chunk of held) hasRoom = this.#stream?.sendData(chunk) ?? true;
    if (this.#heldTrailers !== undefined) this.#stream?.sendEnd(this.#heldTrailers);
    if (hasRoom && held.length > 0) this.#responder.resume();
  }

  /** The time to the head runs from the last progress of the request, so that a long upload is no failure. */
  #armHeadTimer(delayMs: number): void {
    this.#headTimer = setTimeout(() => {
      const leftMs = this.#lastProgressMs + this.requestTimeoutMs - performance.now();
      if (leftMs > 0) return this.#armHeadTimer(leftMs);
      this.#breakOff(new GiraffeError('GIR_ERR_RESPONSE_TIMEOUT'));
    }, delayMs);
  }

  #watchIdleness(): void {
    const { idleTimeoutMs } = this.#admission;
    if (idleTimeoutMs === undefined) return;
    this.#idleWatch = new IdleWatch(idleTimeoutMs, () => this.#breakOff(new GiraffeError('GIR_ERR_IDLE_TIMEOUT')));
  }

  /** Ends both sides. @param told What the agent is told; the error itself unless that is none of its business. */
  #breakOff(error: GiraffeError, told = error): void {
    this.#stream?.reset(told);
    this.#fail(error);
  }

  // The end.

  #finishRelay(): void {
    if (this.#isRelay && this.#isRequestEnded && this.#isResponseEnded) this.#finish(undefined);
  }

  #fail(error: GiraffeError): void {
    if (this.#isOver) return;
    if (this.#head !== undefined && this.#responder.takeBackHead()) this.#head = undefined;
    this.#finish(error);
    if (this.#head === undefined) this.#responder.fail(error, this.request.id);
    else this.#responder.abort();
  }

  #finish(error: GiraffeError | undefined): void {
    this.#isOver = true;
    clearTimeout(this.#headTimer);
    this.#idleWatch?.stop();
    this.#search.stop();
    this.#heldBody = [];
    this.#admission.ended(error);
    this.#releaseUpstream();
    this.#context.onOutcome(this, {
      status: outcomeStatus(this.#head?.status, error),
      error,
      transport: this.#search.transport,
      session: this.#search.session,
      durationMs: performance.now() - this.startedMs,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      isRelay: this.#isRelay,
    });
  }

  #releaseUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined && this.request.upgrade === undefined) upstream.session.givePlace();
  }
}

function withFields(head: ResponseHead, fields: FieldLines): ResponseHead {
  return fields.length === 0 ? head : { ...head, fields: [...head.fields, ...fields] };
}
