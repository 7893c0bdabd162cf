/** Loads one way, or several in turn, round after round, and puts together what each one showed and cost. */
import { type LoadFigures, loadFigures } from '../../load/load-figures.ts';
import { LoadRecord } from '../../load/load-record.ts';
import { type GeneratorUse, LoadSession } from '../../load/load-session.ts';
import type { MetricSource } from '../../load/metrics.ts';
import type { LoadPlan } from './bench-plan.ts';
import type { BenchWay } from './bench-world.ts';
import type { Usage } from './observed-child.ts';

/** What a process in the middle cost. */
export interface ProcessCost {
  readonly name: string;
  /** Processor time per request, in microseconds. */
  readonly cpuMicrosPerRequest: number;
  /** Resident memory at the end, in octets. */
  readonly memoryBytes: number;
}

/** What the load generator itself cost. */
export interface GeneratorCost {
  /** Processor time per request, in microseconds. */
  readonly cpuMicrosPerRequest: number;
  /** Processor time in cores: 1 is all that one thread can use. */
  readonly cores: number;
  /** Share of the time in which it was busy, from 0 to 1. */
  readonly busyShare: number;
}

/** The result of one way. */
export interface WayResult extends MetricSource {
  readonly name: string;
  readonly figures: LoadFigures;
  /** Undefined where no load was generated. */
  readonly generator: GeneratorCost | undefined;
  readonly processes: readonly ProcessCost[];
}

/** Where a measurement is, for a progress bar. */
export interface MeasureProgress {
  /** What is going on. */
  readonly label: string;
  /** From 0 to 1, over all rounds of all ways. */
  readonly done: number;
  readonly requests: number;
  readonly failed: number;
}

/** Called before something begins, with how to ask where it is. */
export type OnProgress = (ask: () => MeasureProgress) => void;

/** What a measurement needs besides its ways. */
export interface MeasureContext {
  readonly load: LoadPlan;
  readonly rounds: number;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Slices of a timeline at first, for a run of known length. */
const wantedSlices = 60;
const minSliceMs = 100;

/** Measures all ways. An abort ends it early, with what there is until then. */
export async function measureWays(ways: readonly BenchWay[], context: MeasureContext): Promise<WayResult[]> {
  const runs = ways.map((way) => new WayRun(way, context));
  const { rounds, signal } = context;
  const steps = ways.length * rounds;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, run] of runs.entries()) {
        if (signal.aborted) break;
        const doneBefore = (round * ways.length + index) / steps;
        await run.round(round, (share) => doneBefore + share / steps);
      }
    }
    return await Promise.all(runs.filter((run) => run.hasBegun).map((run) => run.result()));
  } finally {
    for (const run of runs) run.end();
  }
}

/** One way and all that its rounds add up to. */
class WayRun {
  readonly #way: BenchWay;
  readonly #context: MeasureContext;
  readonly #session: LoadSession;
  readonly #record: LoadRecord;
  readonly #cpuMicros: number[];
  #generator: GeneratorUse = { cpuMicros: 0, seconds: 0, busyShare: 0 };
  hasBegun = false;

  constructor(way: BenchWay, context: MeasureContext) {
    this.#way = way;
    this.#context = context;
    const { load } = context;
    this.#session = sessionOf(way, load, context.path);
    this.#record = new LoadRecord(
      load.durationMs === undefined ? undefined : Math.max(minSliceMs, load.durationMs / wantedSlices),
    );
    this.#cpuMicros = way.middle.map(() => 0);
  }

  async round(round: number, done: (share: number) => number): Promise<void> {
    const { load, signal } = this.#context;
    const stop = (): void => this.#session.stop();
    signal.addEventListener('abort', stop);
    try {
      if (round === 0) await this.#warmUp(load.warmUpMs, done);
      if (signal.aborted) return;
      await this.#measure(round, done);
    } finally {
      signal.removeEventListener('abort', stop);
      if (1 < this.#context.rounds) this.#session.disconnect();
    }
  }

  async result(): Promise<WayResult> {
    const requests = Math.max(1, this.#record.succeeded + this.#record.failed);
    const usages = await Promise.all(this.#way.middle.map((process) => process.usage()));
    const { cpuMicros, seconds, busyShare } = this.#generator;
    return {
      name: this.#way.name,
      figures: loadFigures(this.#record),
      percentileMs: (percentile) => this.#record.latencies.percentileMs(percentile),
      extra: {},
      generator: {
        cpuMicrosPerRequest: cpuMicros / requests,
        cores: seconds === 0 ? 0 : cpuMicros / 1e6 / seconds,
        busyShare,
      },
      processes: this.#way.middle.map(({ name }, index) => ({
        name,
        cpuMicrosPerRequest: (this.#cpuMicros[index] ?? 0) / requests,
        memoryBytes: usages[index]?.memoryBytes ?? 0,
      })),
    };
  }

  end(): void {
    this.#session[Symbol.dispose]();
  }

  async #warmUp(durationMs: number, done: (share: number) => number): Promise<void> {
    this.#context.onProgress(() => ({ label: `${this.#way.name}: warm-up`, done: done(0), requests: 0, failed: 0 }));
    await this.#session.warmUp(durationMs);
  }

  async #measure(round: number, done: (share: number) => number): Promise<void> {
    const { load, rounds } = this.#context;
    this.hasBegun = true;
    const label = rounds === 1 ? this.#way.name : `${this.#way.name}, round ${round + 1} of ${rounds}`;
    this.#context.onProgress(() => ({
      label,
      done: done(this.#session.progress),
      requests: this.#record.succeeded + this.#record.failed,
      failed: this.#record.failed,
    }));
    const before = await this.#usages();
    const use = await this.#session.run(
      {
        durationMs: load.durationMs === undefined ? undefined : load.durationMs / rounds,
        maxRequests: load.maxRequests === undefined ? undefined : shareOf(load.maxRequests, rounds, round),
      },
      this.#record,
    );
    const after = await this.#usages();
    for (const [index, usage] of after.entries()) {
      this.#cpuMicros[index] = (this.#cpuMicros[index] ?? 0) + spent(before[index], usage);
    }
    this.#generator = sum(this.#generator, use);
  }

  #usages(): Promise<(Usage | undefined)[]> {
    return Promise.all(this.#way.middle.map((process) => process.usage()));
  }
}

/** Returns the callers of a way. @param path Of the requests. */
export function sessionOf({ address, authority }: BenchWay, load: LoadPlan, path: string): LoadSession {
  const { method, fields, sentBytes, keepAlive, isWebSocket, concurrency, rate, timeoutMs } = load;
  return new LoadSession({
    address,
    request: { method, path, authority, fields, bodyBytes: sentBytes, keepAlive },
    isWebSocket,
    concurrency,
    rate,
    timeoutMs,
  });
}

/** Splits a number of requests into rounds, so that none is lost. */
function shareOf(requests: number, rounds: number, round: number): number {
  return Math.floor((requests * (round + 1)) / rounds) - Math.floor((requests * round) / rounds);
}

function spent(before: Usage | undefined, after: Usage | undefined): number {
  return before === undefined || after === undefined ? 0 : after.cpuMicros - before.cpuMicros;
}

function sum(a: GeneratorUse, b: GeneratorUse): GeneratorUse {
  const seconds = a.seconds + b.seconds;
  const busySeconds = a.busyShare * a.seconds + b.busyShare * b.seconds;
  return { cpuMicros: a.cpuMicros + b.cpuMicros, seconds, busyShare: seconds === 0 ? 0 : busySeconds / seconds };
}
