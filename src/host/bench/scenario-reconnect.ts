/** The agent is killed under load and started again at once: what failed meanwhile, and for how long. */
import { performance } from 'node:perf_hooks';
import { countText, timeText } from '../../load/quantity.ts';
import type { ScenarioRow } from './bench-result.ts';
import { measureWays, type WayResult } from './measure-ways.ts';
import type { ScenarioContext, ScenarioOutcome } from './scenario-context.ts';

/** Share of the time after which the agent is killed. */
const killAfterShare = 0.3;
/** How often progress is looked at, in milliseconds. */
const lookMs = 20;

/** Runs the load, and the restart in the middle of it. */
export async function reconnectScenario(context: ScenarioContext): Promise<ScenarioOutcome> {
  const { plan, world, signal } = context;
  const way = await world.tunnel('hybrid');
  const agent = way.middle.at(-1);
  let progress = (): number => 0;
  let readyMs: Promise<number> | undefined;
  const timer = setInterval(() => {
    if (readyMs !== undefined || progress() < killAfterShare) return;
    readyMs = restart(context, async () => agent?.kill());
    readyMs.catch(() => undefined);
  }, lookMs);
  // Costs would be those of two agents.
  const [result] = await measureWays([{ ...way, middle: [] }], {
    ...{ load: plan.load, rounds: 1, path: `/bytes/${plan.load.answerBytes ?? 0}`, signal },
    onProgress: (ask) => {
      const isWarmUp = ask().label.endsWith('warm-up');
      progress = isWarmUp ? () => 0 : () => ask().done;
      context.onProgress(ask);
    },
  });
  clearInterval(timer);
  const restartMs = await readyMs;
  if (result === undefined) return { results: [], scenario: { title, rows: [], data: {} } };
  const outage = result.figures.longestGapMs;
  const judged: WayResult = { ...result, extra: { outage } };
  return {
    results: [judged],
    scenario: { title, rows: rowsOf(judged, restartMs), data: { outageMs: outage, restartMs } },
  };
}

const title = 'The agent is killed under load and started again';

/** Returns the time until the new agent serves, in milliseconds. */
async function restart({ world }: ScenarioContext, kill: () => Promise<unknown>): Promise<number> {
  const killedMs = performance.now();
  await Promise.all([kill(), world.startAgent('hybrid')]);
  return performance.now() - killedMs;
}

function rowsOf({ figures }: WayResult, restartMs: number | undefined): ScenarioRow[] {
  const { failed, longestGapMs, latencyMs } = figures;
  return [
    { label: 'failed', value: `${countText(failed)} of ${countText(figures.requests)} requests` },
    { label: 'outage', value: timeText(longestGapMs), note: 'longest time without a successful answer' },
    {
      label: 'new agent serves',
      value: restartMs === undefined ? '-' : `after ${timeText(restartMs)}`,
      note: 'start of its process included',
    },
    {
      label: 'longest wait',
      value: latencyMs === undefined ? '-' : timeText(latencyMs.max),
      note: 'of a successful request',
    },
  ];
}
