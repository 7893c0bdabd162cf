/** Shows figures of the edge or of the running agents: once, or again and again until a signal. */
import chalk from 'chalk';
import { findSetting, resolveSettings } from '../../config/setting.ts';
import { statsSettings } from '../../config/stats-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { readAdminToken } from '../../state/local-files.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import { listenForSignals } from '../lifecycle/shutdown-signals.ts';
import { within } from '../lifecycle/within.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { readConfigFile } from '../settings/program-config.ts';
import { LiveScreen } from '../terminal/live-screen.ts';
import { writeEvent } from '../terminal/output.ts';
import { printable } from '../terminal/printable.ts';
import type { StatsReading } from './stats-reading.ts';
import { readStats, type StatsPlace } from './stats-source.ts';
import { type StatsLayout, statsLines } from './stats-table.ts';
import { bytesText, countText, latencyText, rateText } from './stats-text.ts';
import { StatsCourse, slowest } from './stats-watch.ts';

/**
 * Shows figures and returns the exit status.
 *
 * @throws {GiraffeError} GIR_ERR_NOTHING_RUNS, GIR_ERR_API_UNREACHABLE, GIR_ERR_API_TOKEN, GIR_ERR_ENDPOINT_UNKNOWN for a
 *   domain without figures; GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_STATE.
 */
export async function showStats(context: HostContext): Promise<number> {
  const { input, output, json } = context;
  const { source } = await readConfigFile(input);
  const settings = resolveSettings(statsSettings, input.flags, input.environment, source);
  const { domain, watch, interval, api, apiPort } = settings;
  const stateDir = settings.stateDir ?? defaultStateDir(input.environment);
  const place: StatsPlace = {
    api,
    localApi: `http://127.0.0.1:${apiPort}`,
    stateDir,
    isTokenGiven: settings.adminToken !== undefined,
    adminToken: async () => settings.adminToken?.reveal() ?? (await readAdminToken(stateDir)),
  };
  warnOfToken(context);
  const first = await readStats(place, domain);
  if (domain !== undefined && first.tunnels.length === 0) {
    throw new GiraffeError('GIR_ERR_ENDPOINT_UNKNOWN', `there are no figures of ${domain}`);
  }
  if (watch) {
    // An edge that goes away is worth seeing, and is not made up for by agents.
    const [seen] = first.sources;
    const same = first.from === 'edge' && seen !== undefined ? { ...place, api: seen } : place;
    return watchStats(context, { first, intervalMs: interval, next: () => readStats(same, domain) });
  }
  if (json) writeEvent(output, 'stats', first);
  else for (const line of statsLines(first, layoutOf(process.stdout.columns))) output.out(line);
  return 0;
}

interface Watch {
  readonly first: StatsReading;
  readonly intervalMs: number;
  next(): Promise<StatsReading>;
}

async function watchStats({ output, json }: HostContext, { first, intervalMs, next }: Watch): Promise<number> {
  using signals = listenForSignals();
  let isOver = false;
  const ended = signals.first.then(() => {
    isOver = true;
  });
  const course = new StatsCourse();
  const isScreen = !json && process.stdout.isTTY === true && output.isInteractive;
  let reading = first;
  let failure: string | undefined;
  {
    using screen = isScreen ? new LiveScreen(process.stdout) : undefined;
    while (!isOver) {
      if (failure === undefined) course.add(reading);
      if (screen !== undefined) screen.draw(screenLines(reading, course, { columns: screen.columns, failure }));
      else if (failure !== undefined) output.err(failure);
      else if (json) writeEvent(output, 'stats', reading);
      else output.out(compactLine(reading, course));
      await within(intervalMs, ended);
      if (isOver) break;
      try {
        reading = await Promise.race([next(), ended.then(() => reading)]);
        failure = undefined;
      } catch (error) {
        failure = printable(GiraffeError.from(error).message);
      }
    }
  }
  // What was last seen stays on the terminal.
  if (isScreen) for (const line of statsLines(reading, layoutOf(process.stdout.columns))) output.out(line);
  return 0;
}

function screenLines(
  reading: StatsReading,
  course: StatsCourse,
  { columns, failure }: { readonly columns: number; readonly failure: string | undefined },
): string[] {
  const layout = { ...layoutOf(columns), rates: course.rates };
  // Above the rest: what does not fit a low terminal is below.
  const trouble = failure === undefined ? [] : [layout.alarming(`Not up to date: ${failure}`.slice(0, columns)), ''];
  return [...trouble, ...statsLines(reading, layout), '', ...course.lines(columns), '', 'Ctrl-C ends.'];
}

/** One look on one line, where nothing can be redrawn. */
function compactLine(reading: StatsReading, { rates }: StatsCourse): string {
  const { requests, errors, inFlight, requestBytes, responseBytes } = reading.totals;
  return [
    new Date(reading.takenAt).toISOString(),
    `requests ${countText(requests)} (${rateText(rates.all)}/s)`,
    `errors ${countText(errors)}`,
    `in flight ${countText(inFlight)}`,
    `in ${bytesText(requestBytes)}`,
    `out ${bytesText(responseBytes)}`,
    `p99 ${latencyText(slowest(reading))}`,
  ].join('  ');
}

function layoutOf(columns: number | undefined): StatsLayout {
  return { columns, strong: chalk.bold, alarming: chalk.red };
}

function warnOfToken({ input, output, json }: HostContext): void {
  const sources = { flags: input.flags, env: input.environment, file: undefined };
  if (json || findSetting(statsSettings.adminToken, sources).source !== 'flag') return;
  output.err(
    'Warning: others on this machine can read --admin-token in the process list; GIRAFFE_ADMIN_TOKEN hides it.',
  );
}
