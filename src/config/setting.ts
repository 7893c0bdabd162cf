/**
 * What a setting is, and how its value is found: flag, then environment, then configuration file, then default.
 *
 * One description of a setting makes its flag, help, variable, place in the configuration file, reference and errors, so
 * that they cannot differ.
 */
import { dirname, resolve } from 'node:path';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { ConfigError } from './config-error.ts';
import type { Environment } from './env.ts';
import { type FileValue, fileLeaf, fileText, type Leaf, type ReloadRule } from './file-leaf.ts';
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
  /** Whether it names a file or folder: in a configuration file, it is relative to that file. */
  readonly isPath: boolean;
  /** What a reload does when it has changed. */
  readonly reload: ReloadRule;
  /** The setting in the schema of the configuration file; it has a place there if the schema uses it. */
  readonly leaf: Leaf<T>;
}

/** Settings by the name the program uses for them. */
export type SettingTable = Readonly<Record<string, Setting>>;

/** The values of a table of settings. */
export type SettingValues<Table extends SettingTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never;
};

/** What flags were given, by flag name; several values of one flag in an array. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** A configuration file as a source of settings. */
export interface FileSource {
  /** Path of the file. */
  readonly path: string;
  /** Returns what the file holds for a setting, and where in it; undefined when it holds nothing. */
  read(setting: Setting): { readonly value: FileValue; readonly key: string } | undefined;
}

/** Where settings come from, besides their defaults. */
export interface SettingSources {
  readonly flags: FlagValues;
  readonly env: Environment;
  readonly file: FileSource | undefined;
}

/** Where a value comes from. */
export type SettingSource = 'flag' | 'environment' | 'file' | 'default';

/** The text of a setting and where it was found. */
export interface FoundText {
  readonly source: SettingSource;
  readonly text: string | undefined;
  /** What a person would change: `--proxy-port`, `PROXY_PORT`, or `server.ports.proxy in giraffe.config.yaml`. */
  readonly name: string;
}

/** What a new setting is described with; the rest has its usual value. */
type Description<T> = Pick<Setting<T>, 'flag' | 'description' | 'schema'> & Partial<Omit<Setting<T>, 'leaf'>>;

/** Describes a setting that has a default or must be given by the program's user. */
export function setting<T>(description: Description<T> & { readonly defaultText: string }): Setting<T> {
  return complete(description);
}

/** Describes a setting whose value is undefined unless somebody sets it. */
export function optionalSetting<T>(description: Description<T>): Setting<T | undefined> {
  return complete<T | undefined>(description as Description<T | undefined>);
}

/** Returns the same setting with a place of its own in the configuration file. */
export function placedApart<T>(entry: Setting<T>): Setting<T> {
  return { ...entry, leaf: fileLeaf(entry.schema, entry.description, entry) };
}

function complete<T>(description: Description<T>): Setting<T> {
  const whole = {
    env: undefined,
    defaultText: undefined,
    valueName: 'VALUE',
    multiple: false,
    secret: false,
    isPath: false,
    reload: 'restart' as const,
    ...description,
  };
  return { ...whole, leaf: fileLeaf(whole.schema, whole.description, whole) };
}

/**
 * Finds the value of every setting of a table.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE for flags, GIR_ERR_CONFIG for variables and files, naming all that are wrong, what
 *   they hold and what is accepted.
 */
export function resolveSettings<Table extends SettingTable>(
  table: Table,
  flags: FlagValues,
  env: Environment,
  file?: FileSource,
): SettingValues<Table> {
  const values: Record<string, unknown> = {};
  const problems: { readonly source: SettingSource; readonly message: string }[] = [];
  for (const [name, entry] of Object.entries(table)) {
    const found = findSetting(entry, { flags, env, file });
    const parsed = found.text === undefined ? undefined : entry.schema.safeParse(found.text);
    values[name] = parsed?.data;
    const issue = parsed?.error?.issues[0];
    if (issue !== undefined) {
      problems.push({ source: found.source, message: problemText(entry, found, issue.message) });
    }
  }
  if (problems.length === 0) return values as SettingValues<Table>;
  const code = problems.some((problem) => problem.source === 'flag') ? 'GIR_ERR_USAGE' : 'GIR_ERR_CONFIG';
  throw new ConfigError(
    problems.map((problem) => problem.message),
    code,
  );
}

/** Finds the text of a setting. The text of a path in a file is absolute. */
export function findSetting(entry: Setting, { flags, env, file }: SettingSources): FoundText {
  const flag = flags[entry.flag];
  if (flag !== undefined) {
    return { source: 'flag', text: Array.isArray(flag) ? flag.join(',') : String(flag), name: `--${entry.flag}` };
  }
  const variable = entry.env === undefined ? undefined : env[entry.env];
  // An empty variable is one that was not set: `PROXY_PORT= giraffe …`, or a blank line of a compose file.
  if (entry.env !== undefined && variable !== undefined && variable.trim() !== '') {
    return { source: 'environment', text: variable, name: entry.env };
  }
  const held = file?.read(entry);
  if (file !== undefined && held !== undefined) {
    const text = fileText(held.value);
    const absolute = entry.isPath && !isPin(text) ? resolve(dirname(file.path), text) : text;
    return { source: 'file', text: absolute, name: `${held.key} in ${file.path}` };
  }
  return { source: 'default', text: entry.defaultText, name: 'default' };
}

/** A CA may be given by its fingerprint instead of a path. */
function isPin(text: string): boolean {
  return text.startsWith('sha256:');
}

function problemText(entry: Setting, found: FoundText, accepted: string): string {
  const held = entry.secret ? 'holds a value that is not accepted' : `is ${JSON.stringify(found.text)}`;
  return `${found.name} ${held}; accepted is ${accepted}`;
}

/** Says that two settings exclude each other. */
export function exclusive(a: string, b: string): GiraffeError {
  return new GiraffeError('GIR_ERR_USAGE', `${a} and ${b} are both given; give one of them`);
}
