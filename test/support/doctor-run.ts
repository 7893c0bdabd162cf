/** Runs `giraffe doctor --json` and returns what it told, by check. */
import { fileURLToPath } from 'node:url';
import type { CheckId } from '../../src/doctor/catalogue.ts';
import type { CheckStatus } from '../../src/doctor/check.ts';
import type { GiraffeHome, ProcessSettings } from './giraffe-process.ts';

/** One check as a program reads it. */
export interface ToldCheck {
  readonly check: CheckId;
  readonly status: CheckStatus;
  readonly saw: string;
  readonly next?: string;
  readonly code?: string;
  readonly blockedBy?: CheckId;
  readonly fixed?: string;
}

/** A run of the doctor. */
export interface DoctorRun {
  readonly code: number | null;
  /** Returns what was told of a check. Throws when it is not in the report. */
  check(id: CheckId): ToldCheck;
  readonly failed: readonly CheckId[];
  /** Checks that were skipped because of another one. */
  blockedBy(id: CheckId): readonly CheckId[];
  readonly stdout: string;
  readonly output: string;
}

/** Runs the doctor in a home. */
export async function runDoctor(
  home: GiraffeHome,
  args: readonly string[],
  settings: ProcessSettings = {},
): Promise<DoctorRun> {
  const program = home.run(['doctor', '--json', ...args], settings);
  const { code } = await program.ended();
  const told = program.events.filter(({ event }) => event === 'check') as unknown as ToldCheck[];
  return {
    code,
    check: (id) => {
      const found = told.find(({ check }) => check === id);
      if (found === undefined) throw new Error(`no check ${id} in:\n${program.output}`);
      return found;
    },
    failed: told.filter(({ status }) => status === 'failed').map(({ check }) => check),
    blockedBy: (id) => told.filter(({ blockedBy }) => blockedBy === id).map(({ check }) => check),
    stdout: program.stdout,
    output: program.output,
  };
}

/** Variables of a process whose clock is off. */
export function shiftedClock(ms: number): NodeJS.ProcessEnv {
  const preload = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url));
  return { NODE_OPTIONS: `--import ${preload}`, CLOCK_SHIFT_MS: String(ms) };
}
