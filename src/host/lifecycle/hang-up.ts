/**
 * Tells the two meanings of SIGHUP apart: a request to reload, and the end of the terminal that a program was started from.
 */
import { closeSync, openSync } from 'node:fs';

/** Returns a test that is true once the terminal this process had when the test was made is gone. */
export function createHangUpTest(hasTerminal: () => boolean = hasControllingTerminal): () => boolean {
  const hadTerminal = hasTerminal();
  return () => hadTerminal && !hasTerminal();
}

/** Tells whether this process has a terminal that can send it signals. */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
