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
const warmUpMs = 150;
const measuredMs = 350;

/** Calibrates with the smallest request of the kind that the plan sends. */
export async function calibrate(
  direct: BenchWay,
  { isWebSocket, concurrency }: LoadPlan,
  signal: AbortSignal,
): Promise<Calibration> {
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
  const record = new LoadRecord();
  await session.warmUp(warmUpMs);
  const { cpuMicros } = await session.run({ durationMs: measuredMs, maxRequests: undefined }, record);
  signal.removeEventListener('abort', stop);
  const cpuMicrosPerRequest = cpuMicros / Math.max(1, record.succeeded);
  return { cpuMicrosPerRequest, requestsPerSecond: cpuMicrosPerRequest === 0 ? 0 : 1e6 / cpuMicrosPerRequest };
}
