/**
 * Loaded before the program in every process that a bench starts: ends it with whoever started it, however that ended,
 * and tells what it costs.
 */

/** What a process has used so far. */
export interface Usage {
  /** Processor time, user and system, in microseconds. */
  readonly cpuMicros: number;
  /** Resident memory in octets. */
  readonly memoryBytes: number;
  /** What JavaScript holds, buffers included, in octets. */
  readonly heapBytes: number;
}

/** Asks for a {@link Usage}. */
export interface UsageQuestion {
  readonly usage: number;
  /** Whether to collect garbage before. */
  readonly collect: boolean;
}

/** Answers a {@link UsageQuestion}. */
export interface UsageAnswer extends Usage {
  readonly usage: number;
}

process.on('disconnect', () => process.exit());
process.on('message', ({ usage, collect }: UsageQuestion) => {
  // Twice: what the first one frees outside the heap is given back by the second one.
  if (collect) for (let turn = 0; turn < 2; turn += 1) global.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const answer: UsageAnswer = { usage, cpuMicros: user + system, memoryBytes: rss, heapBytes: heapUsed + external };
  process.send?.(answer);
});
// What is only watched must be able to end by itself.
process.channel?.unref();
