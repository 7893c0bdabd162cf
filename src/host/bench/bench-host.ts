/** Runs a bench from settings to exit status: plan, parts, load, verdict, and an end that leaves nothing behind. */
import { readFile } from 'node:fs/promises';
import { benchSettings } from '../../config/bench-settings.ts';
import { type FlagValues, resolveSettings } from '../../config/setting.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { FieldLines } from '../../http/field-line.ts';
import { judge, type Verdict } from '../../load/assertion.ts';
import { reachTarget } from '../../load/preflight.ts';
import { parseHeader } from '../../load/request-template.ts';
import { Lifetimes } from '../lifecycle/lifetimes.ts';
import { listenForSignals, signalExit } from '../lifecycle/shutdown-signals.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { writeEvent } from '../terminal/output.ts';
import { benchLines } from './bench-lines.ts';
import { type BenchPlan, benchPlan } from './bench-plan.ts';
import { type BenchResult, benchDocument } from './bench-result.ts';
import { type BenchWay, BenchWorld } from './bench-world.ts';
import { calibrate } from './calibration.ts';
import { thisMachine } from './machine.ts';
import { measureWays, type OnProgress, type WayResult } from './measure-ways.ts';
import { terminalPaint } from './paint.ts';
import { ProgressBar } from './progress-bar.ts';
import { assertWritable, writeReport } from './report-file.ts';
import { runScenario } from './scenarios.ts';

/** What a bench is run with. */
export interface BenchContext extends HostContext {
  readonly url: string | undefined;
  /** Values of `--header`. */
  readonly headers: readonly string[];
  /** Of giraffe. */
  readonly version: string;
}

/**
 * Runs a bench and returns the exit status: 1 when an assertion does not hold, 130 or 143 after a signal.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE, GIR_ERR_LOAD_TARGET, GIR_ERR_LOAD_START.
 */
export async function runBench(context: BenchContext): Promise<number> {
  const plan = await planOf(context);
  if (plan.reportFile !== undefined) await assertWritable(plan.reportFile);
  const interrupt = new AbortController();
  const lifetimes = new Lifetimes();
  const signals = listenForSignals();
  lifetimes.defer(() => signals[Symbol.dispose]());
  let exitBySignal = 0;
  void signals.first.then((signal) => {
    exitBySignal = signalExit[signal];
    interrupt.abort();
  });
  try {
    const result = await resultOf(context, plan, interrupt.signal, lifetimes);
    if (result !== undefined) await tell(context, result);
    if (exitBySignal !== 0) {
      if (result === undefined) context.output.err('Interrupted before anything was measured.');
      return exitBySignal;
    }
    return result?.verdicts.every(({ holds }) => holds) === true ? 0 : 1;
  } finally {
    await lifetimes[Symbol.asyncDispose]();
  }
}

async function planOf({ input, url, headers }: BenchContext): Promise<BenchPlan> {
  const settings = resolveSettings(benchSettings, input.flags as FlagValues, input.environment);
  return benchPlan(url, settings, await fieldsOf(headers));
}

/** A value that begins with @ names a file with one line per header, so that no secret stands in the process list. */
async function fieldsOf(headers: readonly string[]): Promise<FieldLines> {
  const texts = await Promise.all(
    headers.map(async (text) =>
      text.startsWith('@') ? (await readText(text.slice(1), '--header')).split('\n') : [text],
    ),
  );
  return texts
    .flat()
    .filter((line) => line.trim() !== '')
    .map(parseHeader);
}

async function readText(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_USAGE', `${flag}: ${(cause as Error).message}`, { cause });
  }
}

/** Returns undefined when the interruption came before anything was measured. */
async function resultOf(
  context: BenchContext,
  plan: BenchPlan,
  signal: AbortSignal,
  lifetimes: Lifetimes,
): Promise<BenchResult | undefined> {
  const startedAt = new Date();
  const { output, input } = context;
  using bar = new ProgressBar(process.stderr, output.isInteractive);
  const onProgress: OnProgress = (ask) => bar.show(ask);
  const target = plan.target === undefined ? undefined : await targetWay(plan);
  const world = lifetimes.use(new BenchWorld(input.environment));
  const outcome =
    plan.scenario === undefined
      ? { results: await loadWays(plan, target, world, signal, onProgress), scenario: undefined }
      : await runScenario(plan.scenario, { plan, world, signal, onProgress });
  if (outcome.results.every(({ figures }) => figures.requests === 0) && outcome.scenario === undefined)
    return undefined;
  // Afterwards, so that the generator is as warm as it was under load.
  const calibration = signal.aborted ? undefined : await calibrate(await world.direct(), plan.load, signal);
  return {
    plan,
    startedAt,
    version: context.version,
    machine: thisMachine(),
    isInterrupted: signal.aborted,
    calibration,
    ...outcome,
    verdicts: verdictsOf(plan, outcome.results),
  };
}

async function targetWay({ target, load, caFile, insecure }: BenchPlan): Promise<BenchWay | undefined> {
  if (target === undefined) return undefined;
  const ca = caFile === undefined ? undefined : await readText(caFile, '--ca');
  const address = await reachTarget(target, { ca, isVerified: !insecure }, load.timeoutMs);
  return { name: 'url', address, authority: target.authority, middle: [] };
}

async function loadWays(
  plan: BenchPlan,
  target: BenchWay | undefined,
  world: BenchWorld,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<WayResult[]> {
  const { load, rounds } = plan;
  const ways = target === undefined ? await ownWays(plan, world) : [target];
  const path = plan.target?.path ?? `/bytes/${load.answerBytes ?? 0}`;
  return measureWays(ways, { load, rounds, path, signal, onProgress });
}

/** Starts what the ways need. Requests in flight are not to be what limits a bench of many connections. */
async function ownWays({ ways, load }: BenchPlan, world: BenchWorld): Promise<BenchWay[]> {
  if (ways.some((name) => name !== 'direct')) await world.edge(Math.max(1000, load.concurrency));
  return Promise.all(ways.map((name) => (name === 'direct' ? world.direct() : world.tunnel(name))));
}

/** With several ways, a comparison that names none is about each of them; with a scenario, it is about the last phase. */
function verdictsOf({ assertions, isComparison }: BenchPlan, results: readonly WayResult[]): Verdict[] {
  if (!isComparison) {
    const last = results.at(-1);
    return last === undefined ? [] : assertions.map((assertion) => judge(assertion, last, undefined));
  }
  return assertions.flatMap((assertion) =>
    results
      .filter(({ name }) => assertion.way === undefined || assertion.way === name)
      .map((result) => judge(assertion, result, result.name)),
  );
}

async function tell({ output, json }: BenchContext, result: BenchResult): Promise<void> {
  if (json) writeEvent(output, 'bench', benchDocument(result));
  else for (const line of benchLines(result, terminalPaint())) output.out(line);
  const { reportFile } = result.plan;
  if (reportFile === undefined) return;
  await writeReport(reportFile, result);
  if (!json) output.err(`Report: ${reportFile}`);
}
