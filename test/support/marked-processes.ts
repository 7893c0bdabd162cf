/** Finds all processes that were started with a variable of one value, whoever is their parent by now (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** Returns the command lines of those that run; one that only waits to be reaped does not. */
export function markedProcesses(variable: string, value: string): string[] {
  const commands: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${variable}=${value}`)) continue;
      commands.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim());
    } catch {
      // It has ended meanwhile, or is somebody else's.
    }
  }
  return commands;
}
