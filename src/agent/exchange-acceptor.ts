/**
 * Takes the streams that an edge opens, and connects each with the origin it is for: one of the configured targets,
 * whatever the edge asks for.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type Target, targetText } from '../http/target.ts';
import type { Replayer } from '../inspector/inspector.ts';
import type { ReplayRequest } from '../inspector/replay-request.ts';
import { decodeOpenRequest, type OpenRequest } from '../protocol/head-codec.ts';
import { type CreditPool, ReceiveWindow } from '../protocol/receive-window.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import { ignoringSink, type Stream, type StreamSink } from '../tunnel/stream.ts';
import {
  type AgentEvent,
  type AgentOptions,
  type AgentTunnel,
  type OriginTls,
  systemOriginTls,
} from './agent-options.ts';
import type { AgentFigures } from './figures.ts';
import { HealthBoard } from './health-board.ts';
import { HostHeaders } from './host-headers.ts';
import { type ExchangeOutcome, OriginExchange } from './origin-exchange.ts';
import { OriginPool } from './origin-pool.ts';
import { ReplayRunner } from './replay-runner.ts';

/** Time to connect to an origin unless the options say otherwise, in milliseconds. */
const defaultConnectTimeoutMs = 10_000;

/** What an exchange takes from the session it came in. */
export interface SessionFacts {
  readonly carrier: CarrierKind;
  readonly creditPool: CreditPool;
  /** Returns the tunnel of one of the session's endpoints. */
  tunnelOf(endpoint: string): AgentTunnel | undefined;
}

/** Accepts exchanges for all sessions of one agent. */
export class ExchangeAcceptor implements Replayer {
  readonly #options: AgentOptions;
  readonly #emit: (event: AgentEvent) => void;
  readonly #figures: AgentFigures;
  /** By how the origin is verified, and by where it is: whom one tunnel trusts, another one need not. */
  readonly #pools = new Map<OriginTls, Map<string, OriginPool>>();
  readonly #replays = new ReplayRunner();
  readonly #hostHeaders: HostHeaders;
  readonly #detach: Disposable | undefined;
  /** The tunnels of the latest session, by endpoint. */
  #tunnels: ReadonlyMap<string, AgentTunnel> = new Map();
  /** How the origins are. */
  readonly health: HealthBoard;

  constructor(options: AgentOptions, emit: (event: AgentEvent) => void, figures: AgentFigures) {
    this.#options = options;
    this.#figures = figures;
    this.#emit = emit;
    this.#hostHeaders = new HostHeaders(options.hostHeader);
    this.health = new HealthBoard(options, emit, (target, tls) => this.#pools.get(tls)?.get(target)?.noteReachable());
    this.#detach = options.inspector?.attach(this);
    for (const { target, targets = {}, originTls = systemOriginTls } of options.tunnels) {
      for (const one of [target, ...Object.values(targets)]) this.#addPool(one, originTls);
    }
  }

  /** Open connections to origins, a count. */
  get originConnections(): number {
    let count = 0;
    for (const pool of this.#allPools()) count += pool.size;
    return count;
  }

  /**
   * Takes a stream.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL when its head has another layout; the carrier is of no use then.
   */
  accept(stream: Stream, payload: Buffer, isEnd: boolean, session: SessionFacts): StreamSink {
    const request = decodeOpenRequest(payload);
    stream.allow(request.windowBytes);
    if (request.urgency !== undefined) stream.prioritize(request.urgency);
    const tunnel = session.tunnelOf(request.endpoint);
    const pool = tunnel && this.#poolOf(tunnel, request.targetName);
    if (tunnel === undefined || pool === undefined) return this.#refuse(stream, request);
    const { hostHeader, guess } = this.#hostHeaders.decide(tunnel, request.endpoint, pool);
    const tally = this.#figures.tally(request.endpoint);
    tally.began();
    const transport = session.carrier === 'grpc' ? 'grpc' : 'tcp';
    const exchange = new OriginExchange({
      stream,
      request,
      transport,
      pool,
      hostHeader,
      sizeWindow: () => ReceiveWindow.sizeFor(session.creditPool),
      tap: this.#options.inspector?.store.open({
        endpoint: request.endpoint,
        targetName: request.targetName,
        target: pool.targetText,
        carrier: transport,
        head: request.head,
        upgrade: request.upgrade,
      }),
      onOutcome: (outcome) => {
        tally.ended(outcome, request.upgrade !== undefined, performance.now());
        this.#report(request, session.carrier, outcome);
        if (outcome.status !== undefined) guess?.answered(outcome.status);
      },
    });
    exchange.begin(isEnd);
    return exchange;
  }

  /** Takes note of what a session serves. */
  serve(tunnels: ReadonlyMap<string, AgentTunnel>): void {
    this.#tunnels = tunnels;
    for (const [endpoint, tunnel] of tunnels) {
      const pool = this.#poolOf(tunnel, undefined);
      if (pool !== undefined) this.#hostHeaders.decide(tunnel, endpoint, pool);
    }
  }

  /** Takes note that an endpoint is not ours any more; what is in flight on it goes on. */
  withdraw(endpoint: string): void {
    const tunnel = this.#tunnels.get(endpoint);
    if (tunnel !== undefined) this.health.forget(tunnel);
    this.#tunnels = new Map([...this.#tunnels].filter(([host]) => host !== endpoint));
  }

  replay(request: ReplayRequest): string | undefined {
    const tunnel = this.#tunnels.get(request.endpoint);
    const pool = tunnel && this.#poolOf(tunnel, request.targetName);
    if (tunnel === undefined || pool === undefined) return undefined;
    this.#replays.assertRoom();
    const { endpoint, targetName, head, replayOf } = request;
    const beginning = { endpoint, targetName, head, replayOf, target: pool.targetText, upgrade: undefined };
    const tap = this.#options.inspector?.store.open({ ...beginning, carrier: 'local' });
    const { hostHeader } = this.#hostHeaders.decide(tunnel, endpoint, pool);
    this.#replays.run(request, { pool, hostHeader, tap });
    return tap?.id;
  }

  /** Closes the connections to all origins, and looks after them no more. */
  close(): void {
    this.#detach?.[Symbol.dispose]();
    this.#replays.close();
    this.health.end();
    for (const pool of this.#allPools()) pool.close();
  }

  *#allPools(): Generator<OriginPool> {
    for (const pools of this.#pools.values()) yield* pools.values();
  }

  #addPool(target: Target, tls: OriginTls): void {
    const name = targetText(target);
    const pools = this.#pools.get(tls) ?? new Map<string, OriginPool>();
    if (pools.has(name)) return;
    const connectTimeoutMs = this.#options.originConnectTimeoutMs ?? defaultConnectTimeoutMs;
    const onReach = (error: GiraffeError | undefined): void => {
      if (error === undefined) this.#hostHeaders.lookAgain(pool);
      this.#emit({ type: 'origin', target: name, error });
      this.health.report(name, tls, error);
    };
    const pool = new OriginPool({ target, tls, connectTimeoutMs, onReach });
    this.#pools.set(tls, pools.set(name, pool));
  }

  #poolOf(tunnel: AgentTunnel, targetName: string | undefined): OriginPool | undefined {
    const target = targetOf(tunnel, targetName);
    return target && this.#pools.get(tunnel.originTls ?? systemOriginTls)?.get(targetText(target));
  }

  #refuse(stream: Stream, request: OpenRequest): StreamSink {
    const { endpoint, targetName } = request;
    this.#options.logger.warn({ endpoint, targetName }, 'the edge asked for an endpoint or a target that is not ours');
    stream.reset(new GiraffeError('GIR_ERR_ENDPOINT_UNKNOWN'));
    return ignoringSink;
  }

  #report(request: OpenRequest, carrier: CarrierKind, { status, error, durationMs }: ExchangeOutcome): void {
    const { head, endpoint } = request;
    const path = pathOf(head.target);
    const { logger, logsFailures = true } = this.#options;
    if (logsFailures && error !== undefined && error.code !== 'GIR_ERR_CANCELLED') {
      const facts = { code: error.code, detail: error.message, method: head.method, domain: endpoint, path };
      logger.warn(facts, 'exchange failed');
    }
    this.#emit({
      type: 'request',
      method: head.method,
      path,
      domain: endpoint,
      status,
      code: error?.code,
      detail: error?.message,
      durationMs,
      carrier,
    });
  }
}

/** Returns what was configured, and nothing else: not even a name that every object has. */
function targetOf({ target, targets = {} }: AgentTunnel, name: string | undefined): Target | undefined {
  if (name === undefined) return target;
  return Object.hasOwn(targets, name) ? targets[name] : undefined;
}

/** The path alone: queries carry secrets. */
function pathOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? target : target.slice(0, at);
}
