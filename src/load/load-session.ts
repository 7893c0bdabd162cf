/**
 * The callers of one way and their runs. Sockets stay open between a warm-up and the run that counts.
 */
import { performance } from 'node:perf_hooks';
import type { Caller } from './caller.ts';
import { type Address, HttpCaller } from './http-caller.ts';
import { LoadRecord, type Traffic } from './load-record.ts';
import { LoadRun } from './load-run.ts';
import { closedLoop, openLoop, type Pace, type PaceLimits } from './pace.ts';
import { type RequestOptions, requestTemplate } from './request-template.ts';
import { WebSocketCaller } from './websocket-caller.ts';

/** What a session sends, and where. */
export interface LoadSessionOptions {
  readonly address: Address;
  /** A bodyBytes of a WebSocket is the size of its messages. */
  readonly request: RequestOptions;
  readonly isWebSocket: boolean;
  readonly concurrency: number;
  /** Per second; undefined for a closed loop. */
  readonly rate: number | undefined;
  readonly timeoutMs: number;
}

/** How long one run is. */
export interface RunLength {
  /** In milliseconds. */
  readonly durationMs: number | undefined;
  readonly maxRequests: number | undefined;
}

/** What a run cost this process. */
export interface GeneratorUse {
  /** Processor time in microseconds. */
  readonly cpuMicros: number;
  readonly seconds: number;
  /** Share of the time in which the event loop was busy, from 0 to 1. */
  readonly busyShare: number;
}

/** Callers of one way. */
export class LoadSession implements Disposable {
  readonly #options: LoadSessionOptions;
  readonly #callers: readonly Caller[];
  #traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
  #run: LoadRun | undefined;
  #isStopped = false;

  constructor(options: LoadSessionOptions) {
    this.#options = options;
    const template = requestTemplate(options.request);
    const { address, request, isWebSocket, concurrency } = options;
    const traffic = (): Traffic => this.#traffic;
    const create = (): Caller =>
      isWebSocket
        ? new WebSocketCaller({ ...request, address, messageBytes: request.bodyBytes, traffic })
        : new HttpCaller({ address, request: template, keepAlive: request.keepAlive, traffic });
    this.#callers = Array.from({ length: concurrency }, create);
  }

  /** Share of the run under way that is done, from 0 to 1. */
  get progress(): number {
    return this.#run?.progress ?? 0;
  }

  /** Connects, runs, and records. Ends early with {@link stop}. Returns what it cost this process. */
  async run(length: RunLength, record: LoadRecord): Promise<GeneratorUse> {
    await Promise.race([Promise.all(this.#callers.map((caller) => caller.open())), openTime(this.#options.timeoutMs)]);
    if (this.#isStopped) return { cpuMicros: 0, seconds: 0, busyShare: 0 };
    const { rate, timeoutMs } = this.#options;
    this.#traffic = record.traffic;
    const run = new LoadRun({
      callers: this.#callers,
      record,
      timeoutMs,
      isOpenLoop: rate !== undefined,
      pace: (startMs) => paceOf(startMs, rate, length),
    });
    this.#run = run;
    const cpu = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    const startMs = performance.now();
    await run.run();
    const { user, system } = process.cpuUsage(cpu);
    return {
      cpuMicros: user + system,
      seconds: (performance.now() - startMs) / 1000,
      busyShare: performance.eventLoopUtilization(loop).utilization,
    };
  }

  /** Runs without keeping what comes of it. */
  async warmUp(durationMs: number): Promise<void> {
    if (0 < durationMs) await this.run({ durationMs, maxRequests: undefined }, new LoadRecord());
  }

  /** Ends the run under way, and those to come. */
  stop(): void {
    this.#isStopped = true;
    this.#run?.stop();
  }

  /** Closes all connections; the next run opens new ones. */
  disconnect(): void {
    for (const caller of this.#callers) caller.close();
  }

  [Symbol.dispose](): void {
    this.stop();
    this.disconnect();
  }
}

function paceOf(startMs: number, rate: number | undefined, { durationMs, maxRequests }: RunLength): Pace {
  const limits: PaceLimits = { maxRequests, untilMs: durationMs === undefined ? undefined : startMs + durationMs };
  return rate === undefined ? closedLoop(startMs, limits) : openLoop(startMs, rate, limits);
}

/** Who cannot connect in time is found out by requests that fail. */
function openTime(timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, timeoutMs).unref();
  });
}
