/** Measures what the load generator itself needs per request, against an origin that answers at once. */
import { LoadRecord } from '../../load/load-record.ts';
import type { LoadPlan } from './bench-plan.ts';
import type { BenchWay } from './bench-world.ts';
import { sessionOf } from './measure-ways.ts';

/** What a generator needs at least, and can do at most. */
export interface Calibration {
  /** Processor time per request, in microseconds. */
  readonly cpuMicrosPerRequest: number;
  /** What one thread could send per second at that cost. */
  readonly requestsPerSecond: number;
}

/** Fewer connections make smaller batches, which cost more per request. */
const maxConnections = 50;
const warmUpMs = 300;
const measuredMs = 120;
/** Others on the machine can only make it worse, so the best of some tries is the nearest. */
const tries = 3;

/** Calibrates with the smallest request of the kind that the plan sends; undefined when it is interrupted. */
export async function calibrate(
  direct: BenchWay,
  { isWebSocket, concurrency }: LoadPlan,
  signal: AbortSignal,
): Promise<Calibration | undefined> {
  using session = sessionOf(
    direct,
    {
      ...{ isWebSocket, method: 'GET', fields: [], sentBytes: isWebSocket ? 16 : 0, answerBytes: 0, keepAlive: true },
      ...{
        concurrency: Math.min(maxConnections, concurrency),
        maxRequests: undefined,
        durationMs: undefined,
        rate: undefined,
      },
      ...{ warmUpMs, timeoutMs: 5000 },
    },
    '/bytes/0',
  );
  const stop = (): void => session.stop();
  signal.addEventListener('abort', stop);
  await session.warmUp(warmUpMs);
  let cpuMicrosPerRequest = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < tries && !signal.aborted; turn += 1) {
    const record = new LoadRecord();
    const { cpuMicros } = await session.run({ durationMs: measuredMs, maxRequests: undefined }, record);
    if (0 < record.succeeded) cpuMicrosPerRequest = Math.min(cpuMicrosPerRequest, cpuMicros / record.succeeded);
  }
  signal.removeEventListener('abort', stop);
  if (!Number.isFinite(cpuMicrosPerRequest)) return undefined;
  return { cpuMicrosPerRequest, requestsPerSecond: 1e6 / cpuMicrosPerRequest };
}
