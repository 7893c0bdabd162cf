/**
 * Finds, reads and checks the configuration file. Resolves nothing: values of settings are read through a FileSource.
 */
import { access, constants } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { cosmiconfig } from 'cosmiconfig';
import { ConfigError } from './config-error.ts';
import { configLoaders } from './config-loaders.ts';
import { configProblems, pathText } from './config-problems.ts';
import { configSchema, type FileConfig } from './config-schema.ts';
import type { FileValue } from './file-leaf.ts';
import { plainCopy } from './plain-copy.ts';
import { places } from './schema-walk.ts';
import type { FileSource, Setting } from './setting.ts';

const endings = ['ts', 'js', 'mjs', 'cjs', 'json', 'yaml', 'yml', 'toml'];

/** Names that a configuration file may have, in the order in which they are looked for. */
export const configFileNames: readonly string[] = [
  ...endings.map((ending) => `giraffe.config.${ending}`),
  '.girafferc',
  ...endings.map((ending) => `.girafferc.${ending}`),
  'package.json',
];

/** A configuration that is in force, from a file or, without one, all defaults. */
export interface LoadedConfig {
  /** Absolute path; undefined when there is no file. */
  readonly path: string | undefined;
  readonly config: FileConfig;
  /** As it stands in the file; empty when there is none. Holds secrets. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** The file as a source of settings; undefined when there is no file. */
  readonly source: FileSource | undefined;
}

/** Where to look. */
export interface ConfigPlace {
  /** The file itself, from `--config` or GIRAFFE_CONFIG; undefined looks in `folder`, and finding nothing is fine. */
  readonly path: string | undefined;
  readonly folder: string;
}

/**
 * Reads the configuration file.
 *
 * @throws {ConfigError} GIR_ERR_CONFIG when it cannot be read, or with everything that is wrong with it.
 */
export async function loadConfig(place: ConfigPlace): Promise<LoadedConfig> {
  const found = await findFile(place);
  return found === null ? emptyConfig() : { ...configFrom(found.config, found.filepath), path: found.filepath };
}

/** Returns the configuration of a program that has no file: all defaults. */
export function emptyConfig(): LoadedConfig {
  return { path: undefined, config: configSchema.parse({}), raw: {}, source: undefined };
}

/**
 * Checks a configuration that stands in no file. Paths in it are relative to the folder of `name`.
 *
 * @param name What messages call it.
 * @throws {ConfigError} GIR_ERR_CONFIG with everything that is wrong with it.
 */
export function configFrom(content: unknown, name: string): LoadedConfig {
  const value = plainCopy(content ?? {}, name);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    const problems = configProblems(configSchema, value, parsed.error.issues);
    throw new ConfigError(problems.map((problem) => `${name}: ${problem}`));
  }
  return {
    path: undefined,
    config: parsed.data,
    raw: value as Record<string, unknown>,
    source: fileSource(name, value),
  };
}

async function findFile({ path, folder }: ConfigPlace) {
  const explorer = cosmiconfig('giraffe', {
    searchPlaces: [...configFileNames],
    loaders: configLoaders,
    cache: false,
    searchStrategy: 'none',
  });
  if (path === undefined) {
    const found = await explorer.search(folder);
    if (found === null) await refuseUnreadable(folder);
    return found;
  }
  try {
    return await explorer.load(resolve(folder, path));
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError([`${path} cannot be read: ${loadReason(cause)}`], 'GIR_ERR_CONFIG', { cause });
  }
}

function loadReason(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return `its name has to end with ${endings.map((ending) => `.${ending}`).join(', ')}, or be .girafferc`;
}

/** A file that is there and cannot be read is passed over by cosmiconfig; running on defaults then would be a surprise. */
async function refuseUnreadable(folder: string): Promise<void> {
  for (const name of configFileNames.slice(0, -1)) {
    const path = join(folder, name);
    if ((await allows(path, constants.F_OK)) && !(await allows(path, constants.R_OK))) {
      throw new ConfigError([`${path} cannot be read: EACCES`]);
    }
  }
}

async function allows(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** Where each setting stands in the file, by its leaf. */
const leafPaths = new Map(places(configSchema).map(({ schema, path }) => [schema as unknown, path]));

/** Returns the place of a setting in the file, for example `server.ports.proxy`; undefined when it has none. */
export function settingKey(setting: Setting): string | undefined {
  const path = leafPaths.get(setting.leaf);
  return path === undefined ? undefined : pathText(path);
}

function fileSource(path: string, root: unknown): FileSource {
  return {
    path,
    read: (setting) => {
      const keys = leafPaths.get(setting.leaf) ?? [];
      let value: unknown = keys.length === 0 ? undefined : root;
      for (const key of keys) value = (value as Record<string, unknown> | undefined)?.[key];
      return value === undefined ? undefined : { value: value as FileValue, key: pathText(keys) };
    },
  };
}

/** Folder that relative names in a configuration are relative to. */
export function configFolder({ path }: LoadedConfig, folder: string): string {
  return path === undefined ? folder : dirname(path);
}
