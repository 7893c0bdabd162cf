/** Describes the machine a bench ran on: a figure without it means nothing. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** A machine. */
export interface Machine {
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  /** System, its release, and the kind of processor. */
  readonly os: string;
}

/** Returns this machine. */
export function thisMachine(): Machine {
  const { platform, arch, version } = process;
  return {
    cpu: (cpus()[0]?.model ?? 'unknown').trim().replaceAll(/\s+/g, ' '),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: version,
    os: `${platform} ${release()} ${arch}`,
  };
}
