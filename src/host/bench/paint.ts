/** Marks parts of lines on a terminal. What chalk does follows NO_COLOR and the kind of terminal. */
import chalk from 'chalk';
import type { Paint } from './bench-lines.ts';

/** Returns how parts of lines are marked on stdout. */
export function terminalPaint(): Paint {
  return { strong: chalk.bold, good: chalk.green, bad: chalk.red };
}
