/** Runs a scenario by its name. */
import type { BenchScenario } from '../../config/bench-settings.ts';
import { abortScenario } from './scenario-abort.ts';
import type { ScenarioContext, ScenarioOutcome } from './scenario-context.ts';
import { headOfLineScenario } from './scenario-head-of-line.ts';
import { manyIdleScenario } from './scenario-many-idle.ts';
import { reconnectScenario } from './scenario-reconnect.ts';

const scenarios: Readonly<Record<BenchScenario, (context: ScenarioContext) => Promise<ScenarioOutcome>>> = {
  'head-of-line': headOfLineScenario,
  abort: abortScenario,
  reconnect: reconnectScenario,
  'many-idle': manyIdleScenario,
};

/** Runs it; an abort ends it early, with what there is until then. */
export function runScenario(name: BenchScenario, context: ScenarioContext): Promise<ScenarioOutcome> {
  return scenarios[name](context);
}
