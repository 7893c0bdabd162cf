/** Writes durations as people say them. Pure. */

const secondMs = 1000;
const minuteMs = 60_000;

/** Returns a time-out as whoever set it would: `4 s` for 4,000 ms, `5 min` for 300,000; what is no whole second in ms. */
export function durationText(ms: number): string {
  if (ms >= minuteMs && ms % minuteMs === 0) return `${ms / minuteMs} min`;
  return ms >= secondMs && ms % secondMs === 0 ? `${ms / secondMs} s` : `${ms} ms`;
}
