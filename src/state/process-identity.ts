/**
 * Tells one process from a later one with the same id, where the system lets us: by when it began, as /proc says it or,
 * where there is none as on macOS, ps.
 *
 * Process ids mean something only on one machine, since one boot, and within one namespace; that is the place.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { systemCode } from './state-error.ts';

const run = promisify(execFile);

/** Time for ps, in milliseconds. */
const psTimeoutMs = 2000;

/** One process, as it can be known by others. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Name of the machine or container. */
  readonly host: string;
  /** Id of the boot; undefined where there is no /proc. */
  readonly boot?: string | undefined;
  /** Namespace of process ids; undefined where there is no /proc. */
  readonly namespace?: string | undefined;
  /** When it began, in ticks since the boot; without /proc as ps writes it; undefined where nobody knows. */
  readonly began?: string | undefined;
}

/** What can be said of a process: it runs, it is gone, or it lives where its id means nothing to us. */
export type ProcessFate = 'running' | 'gone' | 'elsewhere';

/** Returns the identity of a process of this machine, by default of this one. */
export async function processIdentity(pid = process.pid): Promise<ProcessIdentity> {
  const [boot, namespace] = await Promise.all([
    orUndefined(readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim())),
    orUndefined(readlink('/proc/self/ns/pid')),
  ]);
  const began = await orUndefined(boot === undefined ? startTime(pid) : startTicks(pid));
  return { pid, host: hostname(), boot, namespace, began };
}

/** Returns what has become of a process. */
export async function processFate(recorded: ProcessIdentity): Promise<ProcessFate> {
  const found = await processIdentity(recorded.pid);
  if (recorded.host !== found.host) return 'elsewhere';
  if (recorded.boot !== found.boot) return 'gone';
  if (recorded.namespace !== found.namespace) return 'elsewhere';
  if (!isRunning(recorded.pid)) return 'gone';
  return isSameStart(recorded, found) ? 'running' : 'gone';
}

/** Where ps may be missing as well, nothing is known against a process that runs. */
function isSameStart(recorded: ProcessIdentity, found: ProcessIdentity): boolean {
  const isKnown = recorded.began !== undefined && found.began !== undefined;
  return recorded.began === found.began || (found.boot === undefined && !isKnown);
}

/** Tells whether a process of this machine has an id, be it one that has ended and whose parent has not taken note. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, of somebody else.
    return systemCode(error) !== 'ESRCH';
  }
}

/** Tells whether any process of a process group has not ended. Without /proc, one whose parent has not taken note counts. */
export async function isGroupRunning(group: number): Promise<boolean> {
  if (!isRunning(-group)) return false;
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return true;
  const members = await Promise.all(pids.map((pid) => orUndefined(statFields(Number(pid)))));
  return members.some((fields) => fields !== undefined && fields[2] === String(group) && !hasEnded(fields));
}

/** To the second, in a zone and a language of its own, so that it is the same text whoever asks. */
async function startTime(pid: number): Promise<string | undefined> {
  const env = { LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = await run('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { env, timeout: psTimeoutMs });
  return stdout.trim() || undefined;
}

async function startTicks(pid: number): Promise<string | undefined> {
  const fields = await statFields(pid);
  return hasEnded(fields) ? undefined : fields[19];
}

/** proc(5): the fields of stat from the third one on, the state. The second one, a name in parentheses, may hold anything. */
async function statFields(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Z and X: it has ended, and only its parent has not taken note yet. */
function hasEnded([state]: readonly string[]): boolean {
  return state === 'Z' || state === 'X';
}

function orUndefined<T>(value: Promise<T>): Promise<T | undefined> {
  return value.catch(() => undefined);
}
