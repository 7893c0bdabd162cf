/** Decides whether a figure says something about the generator rather than about what it loads. Pure. */

/** What a generator used: cores, and the share of the time in which its one thread was busy. */
export interface GeneratorLoad {
  readonly cores: number;
  readonly busyShare: number;
}

/** Above this, one thread has next to nothing left. */
const nearlyAll = 0.9;

/**
 * `itself`: its one core is used up. `machine`: it was always busy but did not get a whole core, because others on the
 * machine needed the processors as well. Undefined when it had time to spare.
 */
export type GeneratorLimit = 'itself' | 'machine' | undefined;

/** Returns what limited a generator. */
export function generatorLimit({ cores, busyShare }: GeneratorLoad): GeneratorLimit {
  if (nearlyAll <= cores) return 'itself';
  return nearlyAll <= busyShare ? 'machine' : undefined;
}
