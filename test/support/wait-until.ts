/** Waits for what has no event: counts of handles, memory, figures that settle. */

/** Time between looks, in milliseconds. */
const intervalMs = 10;

/**
 * Resolves as soon as `condition` holds.
 * @throws {Error} With `what` when it does not within the deadline, in milliseconds.
 */
export async function waitUntil(condition: () => boolean, what: string, deadlineMs = 10_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

/** Resolves after a time in milliseconds: a pause that belongs to the scene of a test, such as an origin that is slow. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
