/** Reads the configuration of a program: the file, and the settings that flags, environment and file make together. */
import { type AgentSettings, resolveAgentSettings } from '../../config/agent-settings.ts';
import { configFile } from '../../config/common-settings.ts';
import type { LoadedConfig } from '../../config/config-file.ts';
import { type EdgeSettings, edgeSettings } from '../../config/edge-settings.ts';
import type { Environment } from '../../config/env.ts';
import { type FlagValues, findSetting, resolveSettings, type SettingSources } from '../../config/setting.ts';

/** What is typed and set, which stays the same for the life of a process. */
export interface ProgramInput {
  readonly flags: FlagValues;
  readonly environment: Environment;
}

/** A file and the settings made with it. */
export interface ProgramConfig<Settings> {
  readonly settings: Settings;
  readonly file: LoadedConfig;
}

/** A configuration of which only the file matters. */
export type ConfigWithFile = Pick<ProgramConfig<unknown>, 'file'>;

/** The configuration of an edge. */
export type EdgeConfig = ProgramConfig<EdgeSettings>;
/** The configuration of an agent. */
export type AgentConfig = ProgramConfig<AgentSettings>;

/**
 * Reads the configuration of an edge.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE or GIR_ERR_CONFIG, with everything that is wrong.
 */
export async function readEdgeConfig(input: ProgramInput): Promise<EdgeConfig> {
  const file = await readConfigFile(input);
  return { file, settings: resolveSettings(edgeSettings, input.flags, input.environment, file.source) };
}

/** Reads the configuration of an agent. Throws as {@link readEdgeConfig} does. */
export async function readAgentConfig(input: ProgramInput): Promise<AgentConfig> {
  const file = await readConfigFile(input);
  return { file, settings: resolveAgentSettings(input.flags, input.environment, file.source) };
}

/** Reads the file alone. Throws GIR_ERR_CONFIG. */
export async function readConfigFile({ flags, environment }: ProgramInput): Promise<LoadedConfig> {
  const { text } = findSetting(configFile, { flags, env: environment, file: undefined });
  // Imported here: commands that read no file start without the libraries behind it.
  const { loadConfig } = await import('../../config/config-file.ts');
  return loadConfig({ path: text, folder: process.cwd() });
}

/** Returns where settings come from. */
export function sourcesOf({ flags, environment }: ProgramInput, file: LoadedConfig): SettingSources {
  return { flags, env: environment, file: file.source };
}
