/**
 * The agent's exchange layer on a test bench: a scripted origin on a real socket behind it, and in front of it an edge
 * that is nothing but a multiplexer on a carrier in memory.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { AgentEvent, AgentOptions } from '../../src/agent/agent-options.ts';
import { ExchangeAcceptor } from '../../src/agent/exchange-acceptor.ts';
import { AgentFigures } from '../../src/agent/figures.ts';
import type { GiraffeError } from '../../src/errors/giraffe-error.ts';
import type { FieldLines } from '../../src/http/field-line.ts';
import type { RequestHead, ResponseHead } from '../../src/http/message.ts';
import type { Target } from '../../src/http/target.ts';
import { streamId } from '../../src/protocol/frame.ts';
import { decodeResponseHead, encodeOpenRequest } from '../../src/protocol/head-codec.ts';
import { CreditPool } from '../../src/protocol/receive-window.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Multiplexer } from '../../src/tunnel/multiplexer.ts';
import type { Stream, StreamSink } from '../../src/tunnel/stream.ts';
import { carrierPair, type MemoryCarrier } from '../support/carrier-pair.ts';

/** The endpoint that the bench's agent serves. */
export const endpoint = 'app.test';

const patienceMs = 5000;

/** An origin whose connections a test plays by hand. */
export class ScriptedOrigin implements AsyncDisposable {
  readonly connections: OriginPeer[] = [];
  readonly #server: Server;
  readonly #waiting = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.connections.push(new OriginPeer(socket));
      for (const wake of this.#waiting) wake();
    });
  }

  static async listen({ allowHalfOpen = false } = {}): Promise<ScriptedOrigin> {
    const server = createServer({ allowHalfOpen, noDelay: true });
    const origin = new ScriptedOrigin(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return origin;
  }

  get target(): Target {
    return { kind: 'tcp', host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, tls: false };
  }

  /** Resolves with the connection number `index`, counted from 0. */
  async connection(index = 0): Promise<OriginPeer> {
    await waitUntil(() => this.connections[index] !== undefined, this.#waiting, `connection ${index}`);
    const connection = this.connections[index];
    if (connection === undefined) throw new Error('unreachable');
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** One connection at the origin, with all it received. */
export class OriginPeer {
  readonly socket: Socket;
  isEnded = false;
  isClosed = false;
  bytes = 0;
  #received: Buffer[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const one of this.#waiting) one();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.bytes += chunk.length;
      wake();
    });
    socket.on('end', () => {
      this.isEnded = true;
      wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      wake();
    });
  }

  get text(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }

  /** Resolves with all received so far once it ends with `end`. */
  async until(end: string): Promise<string> {
    await waitUntil(() => this.text.endsWith(end), this.#waiting, JSON.stringify(end));
    return this.text;
  }

  /** Resolves with the next request that has no body, and forgets it. */
  async request(): Promise<string> {
    const text = await this.until('\r\n\r\n');
    this.#received = [];
    this.bytes = 0;
    return text;
  }

  async received(bytes: number): Promise<void> {
    await waitUntil(() => this.bytes >= bytes, this.#waiting, `${bytes} bytes`);
  }

  async ended(): Promise<void> {
    await waitUntil(() => this.isEnded, this.#waiting, 'end');
  }

  async closed(): Promise<void> {
    await waitUntil(() => this.isClosed, this.#waiting, 'close');
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }
}

/** One exchange as the edge sees it. */
export class EdgeExchange implements StreamSink {
  readonly heads: ResponseHead[] = [];
  readonly interims: ResponseHead[] = [];
  error: GiraffeError | undefined;
  trailers: FieldLines | undefined;
  /** Give credit back for what arrives. */
  reads = true;
  stream: Stream | undefined;
  bodyBytes = 0;
  #body: Buffer[] = [];
  #unread = 0;
  readonly #waiting = new Set<() => void>();

  onHead(payload: Buffer, isInterim: boolean, isEnd: boolean): void {
    (isInterim ? this.interims : this.heads).push(decodeResponseHead(payload));
    if (isEnd) this.trailers = [];
    this.#wake();
  }

  onData(chunk: Buffer): void {
    this.#body.push(Buffer.from(chunk));
    this.bodyBytes += chunk.length;
    if (this.reads) this.stream?.consumed(chunk.length);
    else this.#unread += chunk.length;
    this.#wake();
  }

  onEnd(trailers: FieldLines): void {
    this.trailers = trailers;
    this.#wake();
  }

  onWritable(): void {
    this.#wake();
  }

  onReset(error: GiraffeError): void {
    this.error = error;
    this.#wake();
  }

  get head(): ResponseHead | undefined {
    return this.heads[0];
  }

  get body(): string {
    return Buffer.concat(this.#body).toString('latin1');
  }

  /** Reads on after `reads` was false. */
  read(): void {
    this.reads = true;
    this.stream?.consumed(this.#unread);
    this.#unread = 0;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    await waitUntil(condition, this.#waiting, what);
  }

  /** Resolves when the answer is complete. Rejects when it fails. */
  async answered(): Promise<this> {
    await this.until(() => this.trailers !== undefined || this.error !== undefined, 'an answer');
    if (this.error !== undefined) throw this.error;
    return this;
  }

  /** Resolves with the code when the exchange was given up. */
  async failed(): Promise<string> {
    await this.until(() => this.error !== undefined, 'a reset');
    return this.error?.code ?? '';
  }

  #wake(): void {
    for (const one of this.#waiting) one();
  }
}

/** What a test may say about a request. */
export interface BenchRequest extends Partial<RequestHead> {
  readonly endpoint?: string;
  readonly upgrade?: string;
  readonly windowBytes?: number;
  /** Whether the head ends the request. By default it does when there is neither body nor upgrade. */
  readonly isEnd?: boolean;
}

/** The bench. */
export class AgentBench implements Disposable {
  readonly events: AgentEvent[] = [];
  readonly acceptor: ExchangeAcceptor;
  readonly edgeCarrier: MemoryCarrier;
  readonly agentCarrier: MemoryCarrier;
  readonly edge: Multiplexer;
  readonly agent: Multiplexer;
  readonly pool = new CreditPool();
  #nextStream = 1;

  constructor(target: Target, options: Partial<AgentOptions> = {}) {
    const whole = agentOptions(target, options);
    this.acceptor = new ExchangeAcceptor(whole, (event) => this.events.push(event), new AgentFigures());
    [this.edgeCarrier, this.agentCarrier] = carrierPair('grpc');
    const ignored = { onHandshake: () => {}, onTicket: () => {}, onGoAway: () => {}, onClose: () => {} };
    const session = {
      carrier: 'grpc' as const,
      creditPool: this.pool,
      tunnelOf: (host: string) => whole.tunnels.find(({ domain }) => domain === host),
    };
    this.agent = new Multiplexer(
      this.agentCarrier,
      { role: 'agent', creditPool: this.pool },
      { ...ignored, onOpen: (stream, payload, isEnd) => this.acceptor.accept(stream, payload, isEnd, session) },
    );
    this.edge = new Multiplexer(this.edgeCarrier, { role: 'edge' }, { ...ignored, onOpen: notAtTheEdge });
    this.edge.activate(60_000);
    this.agent.activate(60_000);
  }

  /** Opens an exchange. */
  open(request: BenchRequest = {}): EdgeExchange {
    const { method = 'GET', target = '/', minorVersion = 1, body = { kind: 'none' } } = request;
    const fields = request.fields ?? [['Host', endpoint]];
    const windowBytes = request.windowBytes ?? 1024 * 1024;
    const payload = encodeOpenRequest({
      head: { method, target, minorVersion, fields, body },
      endpoint: request.endpoint ?? endpoint,
      windowBytes,
      upgrade: request.upgrade,
    });
    const exchange = new EdgeExchange();
    const isEnd = request.isEnd ?? (body.kind === 'none' && request.upgrade === undefined);
    exchange.stream = this.edge.open(streamId(this.#nextStream), payload, isEnd, windowBytes, exchange);
    this.#nextStream += 1;
    return exchange;
  }

  [Symbol.dispose](): void {
    this.edgeCarrier.cut();
    this.acceptor.close();
  }
}

function agentOptions(target: Target, options: Partial<AgentOptions>): AgentOptions {
  return {
    tunnels: [{ domain: endpoint, target }],
    server: { host: 'edge.test', grpcPort: 1, tunnelPort: 1 },
    token: 'token',
    trust: { kind: 'system' },
    transport: 'auto',
    hostHeader: 'preserve',
    logger: silentLogger,
    ...options,
  };
}

function notAtTheEdge(): never {
  throw new Error('the agent opened a stream');
}

/** Resolves when `condition` holds, looked at whenever one of `waiting` is called. */
async function waitUntil(condition: () => boolean, waiting: Set<() => void>, what: string): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const check = (): void => {
      if (!condition()) return;
      waiting.delete(check);
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      waiting.delete(check);
      reject(new Error(`nothing came of ${what}`));
    }, patienceMs);
    waiting.add(check);
  });
}
