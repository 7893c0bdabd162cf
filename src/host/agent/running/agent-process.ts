/** Ends an agent that is another process: asks, waits, and insists when its time is over. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ProcessIdentity, processFate, processIdentity } from '../../../state/process-identity.ts';
import { systemCode } from '../../../state/state-error.ts';

/** Time between looks whether a process has ended, in milliseconds. */
const lookMs = 25;
/** Time for a process to end after a second SIGTERM, with which an agent ends at once, in milliseconds. */
const insistMs = 2_000;

/**
 * Asks a process to end and waits until it has.
 *
 * @param timeoutMs Time for it to end by itself, in milliseconds; undefined waits for as long as it takes.
 * @returns Whether it had to be forced.
 */
export async function endProcess(pid: number, timeoutMs: number | undefined): Promise<boolean> {
  const identity = await processIdentity(pid);
  send(pid, 'SIGTERM');
  if (await hasEnded(identity, timeoutMs ?? Number.POSITIVE_INFINITY)) return false;
  send(pid, 'SIGTERM');
  if (await hasEnded(identity, insistMs)) return true;
  send(pid, 'SIGKILL');
  await hasEnded(identity, Number.POSITIVE_INFINITY);
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself just now.
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

async function hasEnded(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while ((await processFate(identity)) === 'running') {
    if (deadline <= performance.now()) return false;
    await delay(lookMs);
  }
  return true;
}
