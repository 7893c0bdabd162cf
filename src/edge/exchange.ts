/**
 * One client request on its way through the edge, from its head to its one outcome.
 *
 * It joins the front (a {@link Responder}) and a stream of a session, decides
 * about waiting and retrying, and says in the end what became of it.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FixedAnswer, RoutingRequest, Transport } from '../extension/routing-strategy.ts';
import type { FieldLines } from '../http/field-line.ts';
import { assertForwardableResponseHead, assertForwardableTrailers } from '../http/field-validation.ts';
import { forwardedResponse } from '../http/forwarding.ts';
import { isIdempotent, type RequestHead, type ResponseHead } from '../http/message.ts';
import { decodeResponseHead, encodeOpenRequest } from '../protocol/head-codec.ts';
import type { Stream, StreamSink } from '../tunnel/stream.ts';
import type { ClientExchange, Responder } from './client-ports.ts';
import type { EdgeLimits } from './edge-options.ts';
import type { EdgeSession } from './edge-session.ts';
import type { EndpointTally } from './figures.ts';
import { fixedResponse } from './fixed-answer.ts';
import { IdleWatch } from './idle-watch.ts';
import { type Admission, freeAdmission } from './policy/admission.ts';
import type { RouteTable } from './route-table.ts';
import type { Router, Upstream } from './router.ts';

/** What became of an exchange. Written to the log and the figures at one place. */
export interface Outcome {
  /** Status the client got; undefined when it got none. */
  readonly status: number | undefined;
  /** Why it failed; undefined when it went well. */
  readonly error: GiraffeError | undefined;
  /** Where the request was sent last, even if it failed there; undefined when it was sent nowhere. */
  readonly transport: Transport | undefined;
  readonly session: EdgeSession | undefined;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly isRelay: boolean;
}

/** What an exchange needs from the edge. */
export interface ExchangeContext {
  readonly routes: RouteTable;
  readonly router: Router;
  readonly limits: EdgeLimits;
  onOutcome(exchange: Exchange, outcome: Outcome): void;
}

/** A request prepared for its way. */
export interface PreparedRequest {
  /** The head as the agent gets it. */
  readonly head: RequestHead;
  readonly routing: RoutingRequest;
  readonly upgrade: string | undefined;
  /** Where the exchange is counted; undefined for an endpoint that is not served. */
  readonly tally: EndpointTally | undefined;
  readonly id: string;
  /** Our name in Via fields. */
  readonly via: string;
}

/** Sessions that a request is sent to at most: the first, and another one. */
const maxSessions = 2;

/** One exchange. */
export class Exchange implements ClientExchange, StreamSink {
  #request: PreparedRequest;
  readonly #responder: Responder;
  readonly #context: ExchangeContext;
  readonly #startedMs = performance.now();
  #stream: Stream | undefined;
  #upstream: Upstream | undefined;
  /** The session that got the request last. */
  #asked: EdgeSession | undefined;
  /** How it got there. */
  #transport: Transport | undefined;
  #sessionsAsked = 0;
  /** Whether that session is not to be asked again, even if nobody else is there. */
  #isRefused = false;
  #isOver = false;
  #head: ResponseHead | undefined;
  #isRelay = false;
  #isRequestEnded = false;
  #isResponseEnded = false;
  #requestBytes = 0;
  #responseBytes = 0;
  /** Body octets that arrived while there was no stream. */
  #heldBody: Buffer[] = [];
  #heldTrailers: FieldLines | undefined;
  #stopWaiting: (() => void) | undefined;
  #waitTimer: NodeJS.Timeout | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  #lastProgressMs = 0;
  #admission: Admission = freeAdmission;
  #idleWatch: IdleWatch | undefined;

  constructor(request: PreparedRequest, responder: Responder, context: ExchangeContext) {
    this.#request = request;
    this.#responder = responder;
    this.#context = context;
  }

  /** The request as it goes its way. */
  get request(): PreparedRequest {
    return this.#request;
  }

  /** Keeps a field of the request from the agent and its origin, before the start. `name` is lower case. */
  withhold(name: string): void {
    const { head } = this.#request;
    const fields = head.fields.filter(([fieldName]) => fieldName.toLowerCase() !== name);
    this.#request = { ...this.#request, head: { ...head, fields } };
  }

  /** Puts the exchange under a policy, before the start. */
  govern(admission: Admission): void {
    this.#admission = admission;
    const head = admission.requestHead(this.#request.head);
    if (head !== this.#request.head) this.#request = { ...this.#request, head };
  }

  /** Sends the request on its way, unless the routing strategy answers by itself. */
  start(): void {
    try {
      const answer = this.#context.router.answer(this.#request.routing);
      if (answer === undefined) this.#attempt();
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
    const head = decodeResponseHead(payload);
    const isUpgrade = this.request.upgrade !== undefined;
    assertForwardableResponseHead(head, { method: this.request.head.method, isUpgrade });
    if (isInterim !== (head.status < 200 && head.status !== 101)) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `status ${head.status} in the wrong kind of head`);
    }
    const forwarded = forwardedResponse(head, this.request.via);
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
    if (!this.#isRelay && this.#responseBytes > this.#announcedBytes()) {
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
    if (this.#head?.body.kind === 'length' && this.#responseBytes < this.#head.body.lengthBytes) {
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
    if (!this.#mayRetry(error)) return this.#fail(error);
    this.#isRefused = error.entry.retry === 'unsent';
    this.#attempt(error);
  }

  // On the way.

  /** Looks for an upstream; `failure` is why the last one did not do. */
  #attempt(failure?: GiraffeError): void {
    if (this.#isOver) return;
    try {
      const upstream = this.#select();
      if (upstream === undefined) this.#awaitUpstream(failure);
      else if (!this.#isExchangeRefused(upstream)) this.#open(upstream);
    } catch (error) {
      this.#fail(GiraffeError.from(error));
    }
  }

  /** Another session than the one that failed; if nobody else is there, one that only lost a carrier has another. */
  #select(): Upstream | undefined {
    const { router } = this.#context;
    const upstream = router.select(this.request.routing, this.#asked);
    if (upstream !== undefined || this.#asked === undefined || this.#isRefused) return upstream;
    return router.select(this.request.routing, undefined);
  }

  /** True when the session has no place; the exchange then waits for one. */
  #isExchangeRefused({ session }: Upstream): boolean {
    if (this.request.upgrade !== undefined || session.takePlace()) return false;
    const wait = this.#requestTimeoutMs - (performance.now() - this.#startedMs);
    this.#wait((onReady) => session.waitForPlace(onReady), wait, new GiraffeError('GIR_ERR_STREAM_LIMIT'));
    return true;
  }

  /** Nobody is there: an agent that is only reconnecting is worth a short wait. */
  #awaitUpstream(failure: GiraffeError | undefined): void {
    if (this.#isRefused && failure !== undefined) return this.#fail(failure);
    const wait = this.#context.limits.reconnectGraceMs - (failure === undefined ? this.#elapsedMs() : 0);
    const { host } = this.request.routing;
    this.#wait(
      (onReady) => this.#context.routes.waitFor(host, onReady),
      wait,
      failure ?? new GiraffeError('GIR_ERR_NO_UPSTREAM'),
    );
  }

  #wait(subscribe: (onReady: () => void) => () => void, waitMs: number, error: GiraffeError): void {
    if (waitMs <= 0) return this.#fail(error);
    const again = (): void => {
      this.#endWait();
      this.#attempt(error.code === 'GIR_ERR_NO_UPSTREAM' || error.code === 'GIR_ERR_STREAM_LIMIT' ? undefined : error);
    };
    this.#stopWaiting = subscribe(again);
    this.#waitTimer = setTimeout(() => {
      this.#endWait();
      this.#fail(error);
    }, waitMs);
  }

  #endWait(): void {
    clearTimeout(this.#waitTimer);
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  #open(upstream: Upstream): void {
    const { session, multiplexer } = upstream;
    const { head, upgrade, routing } = this.request;
    if (session !== this.#asked) this.#sessionsAsked += 1;
    this.#asked = session;
    this.#transport = upstream.transport;
    this.#upstream = upstream;
    const windowBytes = multiplexer.reserveWindow();
    const payload = encodeOpenRequest({
      head,
      endpoint: routing.host,
      targetName: upstream.targetName,
      windowBytes,
      upgrade,
    });
    const isEnd = head.body.kind === 'none' && upgrade === undefined;
    if (isEnd) this.#isRequestEnded = true;
    this.#stream = multiplexer.open(session.nextStreamId(), payload, isEnd, windowBytes, this);
    this.#lastProgressMs = performance.now();
    this.#armHeadTimer(this.#requestTimeoutMs);
    this.#sendHeld();
  }

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
      const leftMs = this.#lastProgressMs + this.#requestTimeoutMs - performance.now();
      if (leftMs > 0) return this.#armHeadTimer(leftMs);
      this.#breakOff(new GiraffeError('GIR_ERR_RESPONSE_TIMEOUT'));
    }, delayMs);
  }

  get #requestTimeoutMs(): number {
    return this.#admission.requestTimeoutMs ?? this.#context.limits.requestTimeoutMs;
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

  /** The one retry rule: nothing of the response came, and the request is whole and harmless to repeat. */
  #mayRetry(error: GiraffeError): boolean {
    if (this.#head !== undefined || this.#sessionsAsked >= maxSessions || this.#requestBytes > 0) return false;
    const rule = error.entry.retry;
    return rule === 'unsent' || (rule === 'idempotent' && isIdempotent(this.request.head.method));
  }

  #announcedBytes(): number {
    const body = this.#head?.body;
    if (body?.kind === 'length') return body.lengthBytes;
    return body?.kind === 'none' ? 0 : Number.POSITIVE_INFINITY;
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedMs;
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
    this.#endWait();
    this.#heldBody = [];
    this.#admission.ended(error);
    this.#releaseUpstream();
    const failedStatus = error === undefined || error.code === 'GIR_ERR_CLIENT_GONE' ? undefined : error.entry.status;
    this.#context.onOutcome(this, {
      status: this.#head?.status ?? failedStatus,
      error,
      transport: this.#transport,
      session: this.#asked,
      durationMs: this.#elapsedMs(),
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
