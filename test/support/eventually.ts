/** Waiting for what has no event: a condition that is looked at until it holds, with a deadline. */

/** Time between looks, in milliseconds. */
const intervalMs = 10;

/**
 * Resolves when `holds` returns true.
 * @throws When it does not within `deadlineMs`, naming `what`.
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
