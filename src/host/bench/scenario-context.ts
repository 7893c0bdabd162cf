/** What every scenario is given, and what it gives back. */
import type { BenchPlan } from './bench-plan.ts';
import type { ScenarioResult } from './bench-result.ts';
import type { BenchWorld } from './bench-world.ts';
import type { OnProgress, WayResult } from './measure-ways.ts';

/** What a scenario works with. */
export interface ScenarioContext {
  readonly plan: BenchPlan;
  readonly world: BenchWorld;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** What came out. Assertions are about the last of the results. */
export interface ScenarioOutcome {
  readonly results: readonly WayResult[];
  readonly scenario: ScenarioResult;
}
