/** Small requests alone, then the same ones beside bulk downloads through the same tunnel. */
import { LoadRecord } from '../../load/load-record.ts';
import { ratioText, timeText } from '../../load/quantity.ts';
import type { LoadPlan } from './bench-plan.ts';
import type { ScenarioResult } from './bench-result.ts';
import type { BenchWay } from './bench-world.ts';
import { measureWays, sessionOf, type WayResult } from './measure-ways.ts';
import type { ScenarioContext, ScenarioOutcome } from './scenario-context.ts';

const bulkConnections = 2;
/** Large enough that bulk never pauses between two of them, in octets. */
const bulkBytes = 1024 ** 3;

/** Runs both phases. */
export async function headOfLineScenario(context: ScenarioContext): Promise<ScenarioOutcome> {
  const { plan, world, signal } = context;
  const way = await world.tunnel('hybrid');
  const [alone] = await phase(context, { ...way, name: 'alone' }, plan.load);
  if (alone === undefined || signal.aborted)
    return { results: resultsOf(alone), scenario: scenarioOf(alone, undefined, 0) };
  using bulk = sessionOf(way, bulkLoad(plan.load), `/bytes/${bulkBytes}`);
  const record = new LoadRecord();
  const running = bulk.run({ durationMs: undefined, maxRequests: undefined }, record);
  const [beside] = await phase(context, { ...way, name: 'beside bulk' }, { ...plan.load, warmUpMs: 0 });
  bulk.stop();
  const { seconds } = await running;
  const bulkPerSecond = seconds === 0 ? 0 : record.traffic.receivedBytes / seconds;
  const ratio = ratioOf(alone, beside);
  const judged = beside === undefined || ratio === undefined ? beside : { ...beside, extra: { ratio } };
  return { results: resultsOf(alone, judged), scenario: scenarioOf(alone, judged, bulkPerSecond) };
}

function phase({ signal, onProgress }: ScenarioContext, way: BenchWay, load: LoadPlan): Promise<WayResult[]> {
  return measureWays([way], { load, rounds: 1, path: `/bytes/${load.answerBytes ?? 0}`, signal, onProgress });
}

/** Bulk has no end of its own; the small requests have. */
function bulkLoad(load: LoadPlan): LoadPlan {
  return { ...load, concurrency: bulkConnections, rate: undefined, timeoutMs: 3_600_000 };
}

function resultsOf(...phases: readonly (WayResult | undefined)[]): WayResult[] {
  return phases.filter((result) => result !== undefined);
}

function ratioOf(alone: WayResult, beside: WayResult | undefined): number | undefined {
  const reference = alone.figures.latencyMs?.p99;
  const p99 = beside?.figures.latencyMs?.p99;
  return reference === undefined || p99 === undefined ? undefined : p99 / reference;
}

function scenarioOf(
  alone: WayResult | undefined,
  beside: WayResult | undefined,
  bulkPerSecond: number,
): ScenarioResult {
  const ratio = alone === undefined ? undefined : ratioOf(alone, beside);
  const p99 = (result: WayResult | undefined): string => {
    const value = result?.figures.latencyMs?.p99;
    return value === undefined ? '-' : timeText(value);
  };
  return {
    title: `Small requests beside ${bulkConnections} bulk downloads`,
    rows: [
      { label: 'p99 alone', value: p99(alone) },
      { label: 'p99 beside bulk', value: p99(beside), ...(ratio === undefined ? {} : { note: ratioText(ratio) }) },
      { label: 'bulk', value: `${Math.round(bulkPerSecond / 1e6)} MB/s meanwhile` },
    ],
    data: { ratio, bulkConnections, bulkBytesPerSecond: bulkPerSecond },
  };
}
