/**
 * What a setting is, and how its value is found: flag, then environment, then default.
 *
 * One table of settings makes the flags, their help, the names of the variables
 * and the errors, so that they cannot differ. The configuration file will be a
 * source between environment and default.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { Environment } from './env.ts';
import type { TextSchema } from './units.ts';

/** One setting. */
export interface Setting<T = unknown> {
  /** Name of the flag, without dashes. */
  readonly flag: string;
  /** Name of the environment variable; undefined when only the flag sets it. */
  readonly env: string | undefined;
  /** As a person would type it; undefined when there is none. */
  readonly defaultText: string | undefined;
  /** One sentence, with the unit and what 0 means, for help and reference. */
  readonly description: string;
  /** Word for the value in help; undefined for a flag without a value. */
  readonly valueName: string | undefined;
  readonly schema: TextSchema<T>;
  /** Whether the flag may be given several times; the variable then has commas between values. */
  readonly multiple: boolean;
  /** Whether its value must never be shown. */
  readonly secret: boolean;
}

/** Settings by the name the program uses for them. */
export type SettingTable = Readonly<Record<string, Setting>>;

/** The values of a table of settings. */
export type SettingValues<Table extends SettingTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never;
};

/** What flags were given, by flag name; several values of one flag in an array. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** Where a value comes from. */
export type SettingSource = 'flag' | 'environment' | 'default';

interface Found {
  readonly source: SettingSource;
  readonly text: string | undefined;
}

/** What a new setting is described with; the rest has its usual value. */
type Description<T> = Pick<Setting<T>, 'flag' | 'description' | 'schema'> & Partial<Setting<T>>;

/** Describes a setting that has a default or must be given by the program's user. */
export function setting<T>(description: Description<T> & { readonly defaultText: string }): Setting<T> {
  return complete(description);
}

/** Describes a setting whose value is undefined unless somebody sets it. */
export function optionalSetting<T>(description: Description<T>): Setting<T | undefined> {
  return complete<T | undefined>(description as Description<T | undefined>);
}

function complete<T>(description: Description<T>): Setting<T> {
  return { env: undefined, defaultText: undefined, valueName: 'VALUE', multiple: false, secret: false, ...description };
}

/**
 * Finds the value of every setting of a table.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE for flags, GIR_ERR_CONFIG for variables, naming all that are wrong, what they hold
 *   and what is accepted.
 */
export function resolveSettings<Table extends SettingTable>(
  table: Table,
  flags: FlagValues,
  env: Environment,
): SettingValues<Table> {
  const values: Record<string, unknown> = {};
  const problems: { readonly source: SettingSource; readonly message: string }[] = [];
  for (const [name, entry] of Object.entries(table)) {
    const found = findText(entry, flags, env);
    const parsed = found.text === undefined ? undefined : entry.schema.safeParse(found.text);
    values[name] = parsed?.data;
    const issue = parsed?.error?.issues[0];
    if (issue !== undefined) {
      problems.push({ source: found.source, message: problemText(entry, found, issue.message) });
    }
  }
  if (problems.length === 0) return values as SettingValues<Table>;
  const code = problems.some((problem) => problem.source === 'flag') ? 'GIR_ERR_USAGE' : 'GIR_ERR_CONFIG';
  throw new GiraffeError(code, problems.map((problem) => problem.message).join('; '));
}

/** Tells where the value of a setting comes from. */
export function sourceOf(entry: Setting, flags: FlagValues, env: Environment): SettingSource {
  return findText(entry, flags, env).source;
}

function findText(entry: Setting, flags: FlagValues, env: Environment): Found {
  const flag = flags[entry.flag];
  if (flag !== undefined) return { source: 'flag', text: Array.isArray(flag) ? flag.join(',') : String(flag) };
  const variable = entry.env === undefined ? undefined : env[entry.env];
  // An empty variable is one that was not set: `PROXY_PORT= giraffe …`, or a blank line of a compose file.
  if (variable !== undefined && variable.trim() !== '') return { source: 'environment', text: variable };
  return { source: 'default', text: entry.defaultText };
}

function problemText(entry: Setting, found: Found, accepted: string): string {
  const name = found.source === 'flag' ? `--${entry.flag}` : entry.env;
  const held = entry.secret ? 'holds a value that is not accepted' : `is ${JSON.stringify(found.text)}`;
  return `${name} ${held}; accepted is ${accepted}`;
}
