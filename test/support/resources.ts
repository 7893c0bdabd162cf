/** What this process holds: handles, timers and memory, for tests that look for leaks. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

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

/** Returns the heap in use after a full collection, in octets. */
export async function settledHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
  return process.memoryUsage().heapUsed;
}
