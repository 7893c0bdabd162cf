/**
 * One exchange at the agent: a stream of the session on one side, a connection to the origin on the other.
 *
 * It has one owner of the connection at a time and one end, whatever happens. After an upgrade it hands both sides to a
 * {@link Relay}. It sends a request again only when a kept connection turned out dead before it could matter.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from '../http/field-line.ts';
import { requestHeadText } from '../http/head-text.ts';
import { isBodyEmpty, isIdempotent, type RequestHead, type ResponseHead } from '../http/message.ts';
import type { ExchangeTap } from '../inspector/exchange-tap.ts';
import { encodeResponseHead, type OpenRequest } from '../protocol/head-codec.ts';
import { minWindowBytes } from '../protocol/receive-window.ts';
import type { StreamSink } from '../tunnel/stream.ts';
import type { HostHeader } from './agent-options.ts';
import type { ExchangeStream } from './exchange-stream.ts';
import { HostTranslation } from './host-translation.ts';
import { InterimBound } from './interim-bound.ts';
import type { ConnectionUser, OriginConnection } from './origin-connection.ts';
import { edgeResponseHead, edgeSwitchHead, type HostRule, originConnection, originRequestHead } from './origin-head.ts';
import type { OriginPool } from './origin-pool.ts';
import { Relay } from './relay.ts';
import { RequestBody } from './request-body.ts';

/** How an exchange ended at the agent. */
export interface ExchangeOutcome {
  /** Status of the answer; undefined when no final head was sent. */
  readonly status: number | undefined;
  /** Why it failed; undefined when it went well. */
  readonly error: GiraffeError | undefined;
  /** As in {@link ExchangeStart}. */
  readonly transport: 'grpc' | 'tcp' | undefined;
  readonly durationMs: number;
  /** Octets of the body, or of the relay, from and to the edge. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly isRelay: boolean;
}

/** What an exchange is made of. */
export interface ExchangeStart {
  readonly stream: ExchangeStream;
  readonly request: OpenRequest;
  /** The way it came; undefined for one that no edge sent. */
  readonly transport: 'grpc' | 'tcp' | undefined;
  readonly pool: OriginPool;
  /** `auto` has been decided. */
  readonly hostHeader: Exclude<HostHeader, 'auto'>;
  /** Chooses the size of a window for a large request body, in octets, and charges the session for it. */
  readonly sizeWindow: () => number;
  /** Hears what passes. */
  readonly tap?: ExchangeTap | undefined;
  /** Called once. */
  readonly onOutcome: (outcome: ExchangeOutcome) => void;
}

/** One exchange between edge and origin. */
export class OriginExchange implements StreamSink, ConnectionUser {
  readonly #start: ExchangeStart;
  readonly #stream: ExchangeStream;
  readonly #tap: ExchangeTap | undefined;
  readonly #body: RequestBody;
  readonly #startedMs = performance.now();
  #head: RequestHead;
  #host: HostRule = 'preserve';
  #connection: OriginConnection | undefined;
  /** Octets written to the socket while it had enough; their credit waits for its drain. */
  #heldBytes = 0;
  readonly #interims = new InterimBound();
  #edgeEnded = false;
  #status: number | undefined;
  /** The response head said that nothing follows it. */
  #isAnswerEnded = false;
  #isFinished = false;
  #requestBytes = 0;
  #responseBytes = 0;
  #relay: Relay | undefined;

  constructor(start: ExchangeStart) {
    this.#start = start;
    this.#stream = start.stream;
    this.#tap = start.tap;
    this.#head = start.request.head;
    this.#body = new RequestBody(start.request.head.body);
  }

  /** Sends the request on its way. @param isEnd Whether the edge has nothing more to send. */
  begin(isEnd: boolean): void {
    const { request, pool, hostHeader } = this.#start;
    try {
      if (hostHeader !== 'preserve') this.#host = hostRule(hostHeader, pool, request);
      this.#head = originRequestHead(request, this.#host);
    } catch (error) {
      return this.#fail(GiraffeError.from(error));
    }
    const { body } = this.#head;
    const isLarge = body.kind === 'chunked' || (body.kind === 'length' && body.lengthBytes > minWindowBytes);
    if (isLarge && !isEnd) this.#stream.grant(this.#start.sizeWindow());
    this.#send(request.upgrade === undefined ? pool.take(this.#head.method) : pool.dial(), isEnd);
    if (isEnd) this.onEnd([]);
  }

  // The edge's side.

  onHead(): void {}

  onData(chunk: Buffer): void {
    this.#tap?.onRequestBody(chunk);
    this.#requestBytes += chunk.length;
    const connection = this.#connection;
    // An answered exchange needs no more of its request; the edge gives it up when it sees the end of the answer.
    if (connection === undefined) return this.#stream.consumed(chunk.length);
    try {
      if (this.#body.write(connection.socket, chunk)) this.#stream.consumed(chunk.length);
      else this.#heldBytes += chunk.length;
    } catch (error) {
      this.#fail(GiraffeError.from(error));
    }
  }

  onEnd(trailers: FieldLines): void {
    this.#edgeEnded = true;
    this.#tap?.onRequestEnd(trailers);
    if (this.#connection === undefined) return;
    try {
      this.#body.end(this.#connection.socket, trailers);
    } catch (error) {
      this.#fail(GiraffeError.from(error));
    }
  }

  onWritable(): void {
    this.#connection?.socket.resume();
  }

  onReset(error: GiraffeError): void {
    this.#drop();
    this.#finish(error);
  }

  // The connection's side.

  onConnected(): void {
    this.#tap?.onConnected(false);
  }

  onResponseHead(head: ResponseHead): void {
    this.#tap?.onResponseHead(head);
    const { request } = this.#start;
    if (!this.#stream.hasRoomForHead) {
      throw new GiraffeError('GIR_ERR_ENHANCE_CALM', 'too many response heads wait for an edge that does not read');
    }
    if (head.status === 101) {
      this.#stream.sendHead(encodeResponseHead(edgeSwitchHead(head, request.upgrade, this.#host)));
      this.#status = head.status;
      return;
    }
    const payload = encodeResponseHead(edgeResponseHead(head, this.#host));
    if (head.status < 200) {
      this.#interims.add(payload.length);
      return this.#stream.sendHead(payload, { isInterim: true });
    }
    this.#status = head.status;
    this.#isAnswerEnded = isBodyEmpty(head);
    this.#stream.sendHead(payload, { isEnd: this.#isAnswerEnded });
  }

  onResponseBody(chunk: Buffer): void {
    this.#tap?.onResponseBody(chunk);
    this.#responseBytes += chunk.length;
    if (!this.#stream.sendData(chunk)) this.#connection?.socket.pause();
  }

  onResponseEnd(trailers: FieldLines): void {
    this.#tap?.onResponseEnd(trailers);
    if (!this.#isAnswerEnded) this.#stream.sendEnd(trailers);
    const connection = this.#connection;
    this.#connection = undefined;
    // A request that is not through would be read as the beginning of the next one.
    if (this.#body.isWhole && connection?.socket.writableLength === 0) connection.release();
    else connection?.destroy();
    this.#drained();
    this.#finish(undefined);
  }

  onSwitched(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    const stream = this.#stream;
    stream.grant(this.#start.sizeWindow());
    const onFinished = (error: GiraffeError | undefined): void => this.#finish(error);
    const relay = new Relay({ ...connection.detach(), stream, tap: this.#tap, onFinished });
    this.#relay = relay;
    stream.sink = relay;
    if (this.#edgeEnded) relay.onEnd();
  }

  onDrain(): void {
    this.#drained();
  }

  onFailure(error: GiraffeError): void {
    const isStale = this.#connection?.isReused === true && !this.#connection.hasReceived;
    this.#connection = undefined;
    if (!isStale || this.#body.hasBegun || !isIdempotent(this.#head.method)) return this.#fail(error);
    this.#send(this.#start.pool.dial(), this.#edgeEnded);
  }

  #drained(): void {
    const bytes = this.#heldBytes;
    this.#heldBytes = 0;
    this.#stream.consumed(bytes);
  }

  #send(connection: OriginConnection, isEnd: boolean): void {
    const { upgrade } = this.#start.request;
    this.#connection = connection;
    connection.begin(this, this.#head.method);
    if (connection.isReused) this.#tap?.onConnected(true);
    const text = requestHeadText(this.#head, originConnection(this.#head, upgrade));
    const { socket } = connection;
    const hasBody = this.#head.body.kind !== 'none' && !(isEnd && this.#body.isWhole);
    if (!hasBody) {
      socket.write(text, 'latin1');
      return;
    }
    // What of the body came in the same batch as the head leaves together with it.
    socket.cork();
    socket.write(text, 'latin1');
    process.nextTick(() => socket.uncork());
  }

  /** Gives the exchange up from our side. */
  #fail(error: GiraffeError): void {
    if (this.#isFinished) return;
    this.#drop();
    this.#stream.reset(error);
    this.#finish(error);
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.destroy();
  }

  #finish(error: GiraffeError | undefined): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#tap?.onFinished(error);
    const relayed = this.#relay?.carried;
    this.#start.onOutcome({
      status: this.#status,
      error,
      transport: this.#start.transport,
      durationMs: performance.now() - this.#startedMs,
      requestBytes: this.#requestBytes + (relayed?.requestBytes ?? 0),
      responseBytes: this.#responseBytes + (relayed?.responseBytes ?? 0),
      isRelay: relayed !== undefined,
    });
  }
}

function hostRule(
  hostHeader: 'rewrite' | { readonly value: string },
  pool: OriginPool,
  request: OpenRequest,
): HostRule {
  return hostHeader === 'rewrite' ? new HostTranslation(pool.target, request.head.fields) : hostHeader;
}
