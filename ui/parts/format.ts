/** Writes figures as people read them. Pure. */

/** Octets: `0 B`, `999 B`, `1.2 kB`, `34 MB`. */
export function bytesText(bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** A count: `7`, `1.2 k`, `34 M`. */
export function countText(count: number): string {
  return scaled(count, ['', 'k', 'M', 'G']).trim();
}

/** A count with its noun: `1 agent`, `1.2 k agents`. */
export function countOf(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Milliseconds: `0.4 ms`, `12 ms`, `1.24 s`, `3 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 1440)} d`;
}

/** How long something has been: `36 s`, `5 min`, `3 h 20 min`, `4 d`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : durationText(ms);
}

/** Made once: to find out how people here write the time takes longer than to write it. */
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hour12: false });

/** Time of day with seconds, of an ISO instant. */
export function timeText(instant: string): string {
  return timeOfDay.format(new Date(instant));
}

function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** Returns the class of what shows a status. */
export function statusTone(status: number): string {
  if (status >= 500) return 'bad';
  if (status >= 400) return 'warn';
  if (status >= 300) return '';
  return status >= 200 ? 'ok' : 'info';
}
