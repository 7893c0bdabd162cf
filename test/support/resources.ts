/** What this process holds: handles, timers and memory, for tests that look for leaks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/**
 * Keeps V8 from compiling code to be faster and from giving up code that rests, from now on, in this process. Both count as
 * heap: the one grows for minutes, the other shrinks it, and either hides what objects do.
 */
export function freezeCode(): void {
  for (const flag of ['--no-sparkplug', '--no-maglev', '--no-opt', '--no-flush-bytecode']) setFlagsFromString(flag);
}

/** Counts of what keeps a process busy, by kind, as Node names them: `TCPSocketWrap`, `Timeout`… */
export function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Returns how many resources of this kind there are. */
export function resourceCount(kind: string): number {
  return resources()[kind] ?? 0;
}

/**
 * Returns what this process holds after a full collection, heap and buffers, in octets. Its resident size would also count
 * what V8 has not collected or not given back yet, and how much that is differs from one Node to the next.
 */
export function heldBytes(): number {
  // The first collection leaves buffers to a thread that sweeps them; the second one waits for it.
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Looks again and again at what this process holds until it is stopped, and returns the most by which it grew. A look costs
 * a full collection, so there are pauses that are ten times as long.
 */
export function watchHeldBytes(): () => number {
  const startBytes = heldBytes();
  let peakBytes = startBytes;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, heldBytes());
  };
  const lookAndPause = (): void => {
    const startedMs = performance.now();
    look();
    timer = setTimeout(lookAndPause, 10 * (performance.now() - startedMs));
  };
  let timer = setTimeout(lookAndPause);
  return () => {
    clearTimeout(timer);
    look();
    return peakBytes - startBytes;
  };
}

/**
 * Returns a function that tells by how much the resident size of this process has grown at its highest since, in octets:
 * what was held for a moment only counts as well. Linux alone keeps that mark.
 */
export function watchPeakBytes(): () => number {
  gc();
  // 5 sets the mark back to what is resident now (proc(5)).
  writeFileSync('/proc/self/clear_refs', '5');
  const startBytes = peakResidentBytes();
  return () => peakResidentBytes() - startBytes;
}

function peakResidentBytes(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024;
}

/** Returns the heap in use after a full collection, in octets. */
export async function settledHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
  return process.memoryUsage().heapUsed;
}
