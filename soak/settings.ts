/** What a soak is asked to do, from the environment. README.md says what each variable means. */
import { randomInt } from 'node:crypto';
import { disturbances } from './disturbances.ts';

/** How clients speak to the edge. */
export const fronts = ['http', 'https'] as const;
/** One of them. */
export type FrontKind = (typeof fronts)[number];

/** One soak. */
export interface SoakSettings {
  readonly seed: number;
  /** Time in which disturbances begin, for all fronts together, in seconds. */
  readonly seconds: number;
  /** Every disturbance at most so often on each front; undefined for no limit but time. */
  readonly rounds: number | undefined;
  /** Clients at once, a count. */
  readonly clients: number;
  readonly fronts: readonly FrontKind[];
  /** Names of disturbances. */
  readonly only: readonly string[];
}

/** Reads the variables. @throws {Error} That names the variable and what it may be. */
export function readSettings(env: NodeJS.ProcessEnv): SoakSettings {
  return {
    seed: wholeNumber(env, 'SOAK_SEED') ?? randomInt(1, 1_000_000),
    seconds: wholeNumber(env, 'SOAK_SECONDS') ?? 300,
    rounds: wholeNumber(env, 'SOAK_ROUNDS'),
    clients: wholeNumber(env, 'SOAK_CLIENTS') ?? 20,
    fronts: words(env, 'SOAK_FRONT', fronts),
    only: words(
      env,
      'SOAK_ONLY',
      disturbances.map(({ name }) => name),
    ),
  };
}

/** The command that repeats a soak. */
export function repeatCommand({ seed, seconds, rounds, clients, fronts: chosen, only }: SoakSettings): string {
  const variables = {
    SOAK_SEED: seed,
    SOAK_SECONDS: seconds,
    ...(rounds === undefined ? {} : { SOAK_ROUNDS: rounds }),
    SOAK_CLIENTS: clients,
    ...(chosen.length === fronts.length ? {} : { SOAK_FRONT: chosen.join(',') }),
    ...(only.length === disturbances.length ? {} : { SOAK_ONLY: only.join(',') }),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return `${assignments.join(' ')} npm run soak`;
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new Error(`${name} is ${JSON.stringify(text)}; it takes a whole number from 1`);
}

function words<T extends string>(env: NodeJS.ProcessEnv, name: string, known: readonly T[]): readonly T[] {
  const text = env[name];
  if (text === undefined || text === '') return known;
  const chosen = text.split(',').map((word) => word.trim());
  const wrong = chosen.find((word) => !known.some((one) => one === word));
  if (wrong === undefined) return known.filter((one) => chosen.includes(one));
  throw new Error(`${name} names ${JSON.stringify(wrong)}; it takes, with commas between: ${known.join(', ')}`);
}
