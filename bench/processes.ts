/** Starts the processes that are measured, and reads their processor time and memory from /proc. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ours } from '../scripts/started-processes.ts';

/** A child process and the first line it printed. */
export interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly firstLine: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Starts a script of this folder. */
export async function startScript(name: string, script: string, ...args: string[]): Promise<Running> {
  return start(name, ['--import', 'jiti/register', `bench/${script}`, ...args], {});
}

/** Starts `giraffe`. */
export async function startGiraffe(name: string, args: string[], env: Record<string, string>): Promise<Running> {
  return start(name, ['bin/run.js', ...args], env, (line) => line.includes('"ready"'));
}

async function start(
  name: string,
  args: string[],
  env: Record<string, string>,
  isReady: (line: string) => boolean = () => true,
): Promise<Running> {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = ours(spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio }));
  child.stderr.resume();
  for await (const line of createInterface({ input: child.stdout })) {
    if (!isReady(line)) continue;
    child.stdout.resume();
    return { name, child, firstLine: line };
  }
  throw new Error(`${name} ended before it was ready`);
}

const ticksPerSecond = 100;

/** Processor time that a process and its descendants have used so far, in microseconds (Linux). */
export function cpuMicros({ child }: Running): number {
  return familyMicros(String(child.pid));
}

function familyMicros(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const own = ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, childPid) => sum + familyMicros(childPid), own);
}

/** Processor time of all threads so far, in nanoseconds (Linux): finer than {@link cpuMicros}, but without threads that ended. */
export function cpuNanos({ child }: Running): number {
  const tasks = `/proc/${child.pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    return sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
  }, 0);
}

/** Resident memory, now or at its highest, in octets (Linux). */
export function memoryBytes({ child }: Running, which: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(which));
  return Number(line?.replace(/\D/g, '') ?? 0) * 1024;
}
