/** What a whole bench has shown, whatever is then made of it: lines, a JSON object, a page. */
import type { Verdict } from '../../load/assertion.ts';
import { generatorLimit } from '../../load/generator-limit.ts';
import type { BenchPlan } from './bench-plan.ts';
import type { Calibration } from './calibration.ts';
import type { Machine } from './machine.ts';
import type { WayResult } from './measure-ways.ts';

/** One line of what a scenario has seen besides load figures. */
export interface ScenarioRow {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

/** What a scenario has shown. */
export interface ScenarioResult {
  readonly title: string;
  readonly rows: readonly ScenarioRow[];
  /** The same for programs; docs/bench.md has the fields of each scenario. */
  readonly data: object;
}

/** A bench that has ended. */
export interface BenchResult {
  readonly plan: BenchPlan;
  readonly startedAt: Date;
  /** Of giraffe. */
  readonly version: string;
  readonly machine: Machine;
  readonly isInterrupted: boolean;
  /** Undefined when the bench was interrupted. */
  readonly calibration: Calibration | undefined;
  /** One per way; with a scenario, one per phase. */
  readonly results: readonly WayResult[];
  readonly scenario: ScenarioResult | undefined;
  readonly verdicts: readonly Verdict[];
}

/** Returns the object that `--json` prints, without `v` and `event`. */
export function benchDocument(result: BenchResult): object {
  const { plan, calibration, scenario, verdicts } = result;
  const { load, target } = plan;
  return {
    startedAt: result.startedAt.toISOString(),
    version: result.version,
    interrupted: result.isInterrupted,
    machine: result.machine,
    load: {
      url: target?.url,
      scenario: plan.scenario,
      kind: load.isWebSocket ? 'websocket' : 'http',
      method: load.method,
      // Values may be secrets.
      headers: load.fields.map(([name]) => name),
      sentBytes: load.sentBytes,
      answerBytes: load.answerBytes,
      keepAlive: load.keepAlive,
      concurrency: load.concurrency,
      requests: load.maxRequests,
      durationMs: load.durationMs,
      rate: load.rate,
      rounds: plan.rounds,
      warmUpMs: load.warmUpMs,
      timeoutMs: load.timeoutMs,
    },
    calibration,
    results: result.results.map(({ name, figures, generator, processes }) => ({
      way: name,
      ...figures,
      ...(generator === undefined ? {} : { generator: { ...generator, limit: generatorLimit(generator) } }),
      processes,
    })),
    scenario: scenario === undefined ? undefined : { name: plan.scenario, ...scenario.data },
    assertions: verdicts.map(({ assertion, way, holds, seen, wanted }) => ({ assertion, way, holds, seen, wanted })),
  };
}
