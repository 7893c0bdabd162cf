/**
 * Tells whether the process that left a temporary file or a lock behind may still be at work.
 *
 * A process id alone is not enough: in a container every giraffe is process 1, so
 * a mark of our own id counts as alive only if this process made it.
 */
import { randomBytes } from 'node:crypto';
import { isRunning } from './process-identity.ts';

const ours = new Set<string>();

/** Returns a fresh mark, 16 hex digits, that counts as alive until `forgetMark`. */
export function createMark(): string {
  const mark = randomBytes(8).toString('hex');
  ours.add(mark);
  return mark;
}

/** Ends the life of a mark of this process. */
export function forgetMark(mark: string): void {
  ours.delete(mark);
}

/** Tells whether the writer with this process id (of this machine) and mark may still be running. */
export function isWriterAlive(pid: number, mark: string): boolean {
  return pid === process.pid ? ours.has(mark) : isRunning(pid);
}
