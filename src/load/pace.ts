/**
 * When the next request of a load begins: at once (closed loop), or by a timetable (open loop). Pure.
 *
 * A closed loop slows down with what it loads, and so hides how long others would have waited. An open loop does not, and
 * its latencies count from the intended start.
 */

/** Gives out starts. All times in milliseconds on the same clock. */
export interface Pace {
  /** Takes the next request that is due and returns its intended start; undefined when none is due now. */
  take(nowMs: number): number | undefined;
  /** Whether no request will be due any more. */
  isOver(nowMs: number): boolean;
  /** Time until the next one is due, for a timer; undefined when that does not depend on time. */
  waitMs(nowMs: number): number | undefined;
  /** How many are due and not taken. */
  overdue(nowMs: number): number;
  /** Share of the run that is done, from 0 to 1, for a progress bar. */
  progress(nowMs: number): number;
}

/** Where a run ends; at least one of the two. */
export interface PaceLimits {
  /** No request begins at or after this time. */
  readonly untilMs: number | undefined;
  /** No more requests than these. */
  readonly maxRequests: number | undefined;
}

/** A request is due whenever somebody is free to send it. */
export function closedLoop(startMs: number, { untilMs, maxRequests }: PaceLimits): Pace {
  let taken = 0;
  const isOver = (nowMs: number): boolean =>
    (maxRequests !== undefined && maxRequests <= taken) || (untilMs !== undefined && untilMs <= nowMs);
  return {
    isOver,
    take: (nowMs) => {
      if (isOver(nowMs)) return undefined;
      taken += 1;
      return nowMs;
    },
    waitMs: () => undefined,
    overdue: () => 0,
    progress: (nowMs) => progressOf(startMs, nowMs, taken, { untilMs, maxRequests }),
  };
}

/** A request is due every `1 / perSecond` seconds, whatever became of the ones before. */
export function openLoop(startMs: number, perSecond: number, { untilMs, maxRequests }: PaceLimits): Pace {
  const intervalMs = 1000 / perSecond;
  // Clocks have fractions: without the margin, 200.00000001 ms would hold one request more than 200 ms.
  const inTime = untilMs === undefined ? Number.POSITIVE_INFINITY : Math.ceil((untilMs - startMs) / intervalMs - 1e-6);
  const total = Math.min(inTime, maxRequests ?? Number.POSITIVE_INFINITY);
  let taken = 0;
  const dueBy = (nowMs: number): number => Math.min(total, Math.floor((nowMs - startMs) / intervalMs) + 1);
  return {
    isOver: () => total <= taken,
    take: (nowMs) => {
      if (dueBy(nowMs) <= taken) return undefined;
      taken += 1;
      return startMs + (taken - 1) * intervalMs;
    },
    waitMs: (nowMs) => (total <= taken ? undefined : Math.max(0, startMs + taken * intervalMs - nowMs)),
    overdue: (nowMs) => Math.max(0, dueBy(nowMs) - taken),
    progress: (nowMs) => progressOf(startMs, nowMs, taken, { untilMs, maxRequests }),
  };
}

function progressOf(startMs: number, nowMs: number, taken: number, { untilMs, maxRequests }: PaceLimits): number {
  const ofTime = untilMs === undefined ? 0 : (nowMs - startMs) / (untilMs - startMs);
  const ofRequests = maxRequests === undefined ? 0 : taken / maxRequests;
  return Math.min(1, Math.max(ofTime, ofRequests));
}
