/** An outside load generator: `wrk`, in C, where it is installed. It leaves the machine more than one in Node does. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ours } from '../scripts/started-processes.ts';
import type { LoadResult, Target } from './load.ts';

const run = promisify(execFile);
const millisecondsIn: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

/** As loadGet: sends GETs on `connections` sockets, one at a time each, for `durationMs`, which wrk takes in whole seconds. */
export async function loadGetWithWrk(
  { port, host }: Target,
  path: string,
  connections: number,
  durationMs: number,
): Promise<LoadResult> {
  const pace = ['-t1', `-c${connections}`, `-d${Math.ceil(durationMs / 1000)}s`, '--latency'];
  const running = run('wrk', [...pace, '-H', `Host: ${host}`, `http://127.0.0.1:${port}${path}`]);
  ours(running.child);
  const { stdout } = await running;
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  const failures = [/Non-2xx or 3xx responses: (\d+)/, /connect (\d+)/, /read (\d+),/, /write (\d+)/, /timeout (\d+)/];
  return {
    requests: Number(requests),
    seconds: Number(seconds),
    failed: failures.reduce((sum, pattern) => sum + Number(pattern.exec(stdout)?.[1] ?? 0), 0),
    p50Ms: percentileMs(stdout, 50),
    p99Ms: percentileMs(stdout, 99),
  };
}

function percentileMs(report: string, percentile: number): number {
  const [, value, unit = ''] = new RegExp(`${percentile}%\\s+([\\d.]+)(us|ms|s)`).exec(report) ?? [];
  return Number(value) * (millisecondsIn[unit] ?? Number.NaN);
}
