/**
 * How the programs that start others end: `npm run bench`, `demo` and `soak`. Told to by a signal, or because nobody reads what
 * they say, they end what they have started, and leave with the status of that signal.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/** A process that is not gone after so long is told again, in milliseconds: `giraffe` then drops what it still waits for. */
const patienceMs = 2000;
/** A signal that comes sooner is the first one once more, in milliseconds: npm and shells pass on what a terminal sends to all. */
const sameSignalMs = 1000;

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Sees to it that a process ends with this one, and returns it. */
export function ours<Child extends ChildProcess>(child: Child): Child {
  // One that could not be started never ends.
  if (child.pid === undefined) return child;
  living.add(child);
  child.once('exit', () => living.delete(child));
  return child;
}

/** Ends a process and waits until it is gone. One that has started others ends them as well. */
export async function end(child: ChildProcess): Promise<void> {
  // One that a signal ended has no exit status.
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const again = setTimeout(() => child.kill('SIGTERM'), patienceMs);
  await gone;
  clearTimeout(again);
}

/** Ends all processes, the last one first, those that are started meanwhile included. */
export async function endAll(): Promise<void> {
  for (let [last] = [...living].reverse(); last !== undefined; [last] = [...living].reverse()) await end(last);
}

/**
 * Resolves with an exit status when this program is to end: Ctrl-C, SIGTERM, a terminal that is closed, or a reader of its
 * output that has gone. Told once more later on, it ends at once.
 */
export function toldToEnd(): Promise<number> {
  return new Promise((resolve) => {
    let toldMs: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const status = 128 + constants.signals[signal];
      process.on(signal, () => {
        toldMs ??= performance.now();
        if (sameSignalMs < performance.now() - toldMs) process.exit(status);
        resolve(status);
      });
    }
    // Each write fails then, so this happens many times.
    for (const output of [process.stdout, process.stderr])
      output.on('error', () => resolve(128 + constants.signals.SIGPIPE));
  });
}
