/** What the processes hold when nothing is under way, and whether it has grown. */
import type { Bound } from './edge-view.ts';
import type { GiraffeProcess } from './processes.ts';
import type { Stage } from './stage.ts';

/** What one process holds. */
export interface Holding {
  readonly name: string;
  readonly descriptors: number;
  /** Heap and buffers after a full collection, in octets. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** Time for the edge to see that clients are gone, and for pools to let go of connections to the origin. */
const idleBound: Bound = { ms: 30_000, answers: 50 };
/** What a process may hold more of than an idle one did at the start, after any work: caches fill. */
const allowedGrowth = { descriptors: 4, heapBytes: 16 * 1024 ** 2 };

/** Connections that were being made when a process was ended go within the time for a handshake. */
const settleBound: Bound = { ms: 45_000, answers: 50 };

/** Waits until the edge says that nothing is under way, and returns what each process holds. @param before To come back to. */
export async function holdings(stage: Stage, before: readonly Holding[] = []): Promise<Holding[]> {
  const { world } = stage;
  const { view } = world;
  const isIdle = async (): Promise<boolean> => {
    const { connections, inFlight, streams } = await view.held();
    return connections + inFlight + streams.grpc + streams.tcp === 0 && (await openAtOrigin(stage)) === 0;
  };
  await view.until(isIdle, idleBound, async () => {
    const [held, open] = [await view.held(), await openAtOrigin(stage)];
    stage.problem(
      `all clients are gone, and the edge still holds ${JSON.stringify(held)}, the origin ${open} connections`,
    );
  });
  const hasMore = (process: GiraffeProcess): boolean => {
    const then = before.find(({ name }) => name === process.name);
    return then !== undefined && then.descriptors + allowedGrowth.descriptors < process.descriptors;
  };
  let isLate = false;
  const isSettled = async (): Promise<boolean> => {
    // That it answers shows that it had time to close what is over.
    await view.held();
    return isLate || !world.processes.some(hasMore);
  };
  await view.until(isSettled, settleBound, async () => {
    isLate = true;
  });
  return Promise.all(world.processes.map(holding));
}

/** Says what has grown beyond bounds. */
export function compareHoldings(stage: Stage, before: readonly Holding[], after: readonly Holding[]): void {
  for (const now of after) {
    const then = before.find(({ name }) => name === now.name);
    if (then === undefined) continue;
    if (then.descriptors + allowedGrowth.descriptors < now.descriptors) {
      stage.problem(
        `${now.name} has ${now.descriptors} open file descriptors; idle at the start it had ${then.descriptors}`,
      );
    }
    if (then.heapBytes + allowedGrowth.heapBytes < now.heapBytes) {
      stage.problem(
        `${now.name} holds ${megabytes(now.heapBytes)} MB; idle at the start it held ${megabytes(then.heapBytes)} MB`,
      );
    }
  }
}

/** Octets in MB, to one decimal. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

async function openAtOrigin({ world }: Stage): Promise<number> {
  return Number(await world.origin.ask('open'));
}

async function holding(process: GiraffeProcess): Promise<Holding> {
  const { heapBytes, memoryBytes } = await process.usage();
  return { name: process.name, descriptors: process.descriptors, heapBytes, residentBytes: memoryBytes };
}
