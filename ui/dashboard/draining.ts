/** Whether the edge drains, by what it told. Pure. */
import type { EdgeEvent } from './edge-api.ts';

/** @param startedAt When the edge was started, ISO 8601: what its predecessor told is over. */
export function isDraining(events: readonly EdgeEvent[], startedAt: string | undefined): boolean {
  const since = startedAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(startedAt);
  return events.some(({ event, at }) => event === 'draining' && Date.parse(at) >= since);
}
