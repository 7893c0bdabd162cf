/** Clients that leave before, in and after the head of an answer: the time until the origin knows. */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { createDeferred } from '../../agent/deferred.ts';
import { AbandonedRequest, type AbortPhase, abortPhases } from '../../load/abandoned-requests.ts';
import { loadFigures } from '../../load/load-figures.ts';
import type { Departure } from '../../load/load-origin.ts';
import { LoadRecord } from '../../load/load-record.ts';
import { timeText } from '../../load/quantity.ts';
import { within } from '../lifecycle/within.ts';
import type { ScenarioRow } from './bench-result.ts';
import type { BenchWay } from './bench-world.ts';
import type { WayResult } from './measure-ways.ts';
import type { ScenarioContext, ScenarioOutcome } from './scenario-context.ts';

/** What the origin tells. */
type OriginMessage = { readonly arrived: string } | { readonly left: Departure };

/** Pause between the arrival at the origin and the departure: a transfer is well under way then. In milliseconds. */
const lingerMs = 20;
/** Time until an origin that still does not know counts as never told, in milliseconds. */
const neverMs = 5000;

/** Aborts requests in turn in each phase; the phases' latencies are put together in the last result. */
export async function abortScenario({ plan, world, signal, onProgress }: ScenarioContext): Promise<ScenarioOutcome> {
  const { concurrency, maxRequests = 0 } = plan.load;
  const way = await world.tunnel('hybrid');
  const origin = await world.origin();
  const watch = new DepartureWatch();
  origin.onMessage = (message) => watch.take(message as OriginMessage);
  const total = new LoadRecord();
  total.begin(performance.now());
  const phases = new Map<AbortPhase, LoadRecord>();
  for (const [index, phase] of abortPhases.entries()) {
    const record = new LoadRecord();
    phases.set(phase, record);
    let left = Math.ceil((maxRequests - index) / abortPhases.length);
    const all = left;
    onProgress(() => ({
      label: phase,
      done: (index + (all - left) / Math.max(1, all)) / abortPhases.length,
      requests: total.succeeded + total.failed,
      failed: total.failed,
    }));
    record.begin(performance.now());
    const worker = async (): Promise<void> => {
      while (0 < left && !signal.aborted) {
        left -= 1;
        const latencyMs = await watch.abandon(phase, way);
        for (const each of [record, total]) {
          if (latencyMs === undefined) each.fail(performance.now(), 'timeout', 0);
          else each.succeed(performance.now(), latencyMs, 0);
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    record.end(performance.now());
  }
  total.end(performance.now());
  const rows = [...phases].map(([phase, record]) => rowOf(phase, record));
  return {
    results: [resultOf(total)],
    scenario: {
      title: 'Time until the origin knows that a client has left',
      rows,
      data: { phases: [...phases].map(([phase, record]) => ({ phase, ...dataOf(record) })) },
    },
  };
}

/** Brings requests and what the origin says of them together. */
class DepartureWatch {
  readonly #arrivals = new Map<string, () => void>();
  readonly #departures = new Map<string, (atNanos: bigint) => void>();
  #count = 0;

  take(message: OriginMessage): void {
    if ('arrived' in message) this.#arrivals.get(message.arrived)?.();
    else this.#departures.get(message.left.id)?.(BigInt(message.left.atNanos));
  }

  /** Leaves one request and returns the time until the origin knew, in milliseconds; undefined when it never did. */
  async abandon(phase: AbortPhase, { address, authority }: BenchWay): Promise<number | undefined> {
    this.#count += 1;
    const id = String(this.#count);
    const failed = createDeferred<undefined>();
    const arrived = new Promise<true>((resolve) => this.#arrivals.set(id, () => resolve(true)));
    const knew = new Promise<bigint>((resolve) => this.#departures.set(id, resolve));
    const request = new AbandonedRequest(id, phase, address, authority, () => failed.resolve(undefined));
    try {
      if ((await within(neverMs, Promise.race([arrived, failed.promise]))) !== true) return undefined;
      await setTimeout(lingerMs);
      const leftNanos = request.leave();
      const knewNanos = await within(neverMs, knew);
      return knewNanos === 'late' ? undefined : Math.max(0, Number(knewNanos - leftNanos) / 1e6);
    } finally {
      request.leave();
      this.#arrivals.delete(id);
      this.#departures.delete(id);
    }
  }
}

function rowOf(phase: AbortPhase, { latencies, failed }: LoadRecord): ScenarioRow {
  const at = (percentile: number): string => timeText(latencies.percentileMs(percentile) ?? 0);
  const value = latencies.count === 0 ? '-' : `p50 ${at(50)}, p99 ${at(99)}, max ${at(100)}`;
  return { label: phase, value, note: failed === 0 ? `${latencies.count} times` : `never known: ${failed}` };
}

function dataOf(record: LoadRecord): object {
  const { requests, failed, latencyMs } = loadFigures(record);
  return { requests, failed, latencyMs };
}

function resultOf(record: LoadRecord): WayResult {
  return {
    name: 'hybrid',
    figures: loadFigures(record),
    percentileMs: (percentile) => record.latencies.percentileMs(percentile),
    extra: {},
    generator: undefined,
    processes: [],
  };
}
