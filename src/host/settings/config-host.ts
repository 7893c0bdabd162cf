/** What `giraffe config show` and `giraffe config validate` tell. */

import { ConfigError } from '../../config/config-error.ts';
import type { LoadedConfig } from '../../config/config-file.ts';
import { configJsonSchema } from '../../config/config-schema.ts';
import { type ConfigEntry, type OptionFilter, sectionEntries, settingEntries } from '../../config/provenance.ts';
import { redactedText } from '../../config/secret.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { maskedFields, maskedTarget } from '../../inspector/secret-mask.ts';
import { collectExtensions } from '../extensions/collect-extensions.ts';
import type { ExtensionRegistry } from '../extensions/extension-registry.ts';
import { registryFor, sectionOf, selections } from '../extensions/extension-selection.ts';
import { mayShowOption } from '../extensions/option-secrets.ts';
import { loadPlugins } from '../extensions/plugin-loader.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { writeEvent } from '../terminal/output.ts';
import { printable, redacted } from '../terminal/printable.ts';
import { readAgentConfig, readConfigFile, readEdgeConfig, sourcesOf } from './program-config.ts';

/** Shows what is in force. `withSource` adds where each value comes from. Throws GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD. */
export async function showConfig(context: HostContext, withSource: boolean): Promise<number> {
  const { output, json } = context;
  const { entries, path } = await shownEntries(context);
  if (json) for (const entry of entries) writeEvent(output, 'setting', entry);
  else {
    for (const line of entries.map((entry) => lineOf(entry, withSource))) output.out(line);
    if (withSource && path !== undefined) output.err(fileLine(path));
  }
  return 0;
}

/** Returns what is in force as lines, with where each value comes from and without secrets. Throws as `showConfig` does. */
export async function configLines(context: Pick<HostContext, 'input' | 'plugins'>): Promise<string[]> {
  const { entries, path } = await shownEntries(context);
  return [...(path === undefined ? [] : [fileLine(path)]), ...entries.map((entry) => lineOf(entry, true))];
}

/** Says once which file the lines mean. */
function fileLine(path: string): string {
  return printable(`# file is ${path}`);
}

interface ShownEntries {
  readonly entries: readonly ConfigEntry[];
  /** The file; undefined when there is none. */
  readonly path: string | undefined;
}

async function shownEntries({ input, plugins }: Pick<HostContext, 'input' | 'plugins'>): Promise<ShownEntries> {
  const file = await readConfigFile(input);
  const registry = await registryFor(plugins, file);
  const entries = [...settingEntries(sourcesOf(input, file)), ...sectionEntries(file, optionFilter(file, registry))];
  return { entries: entries.map(withoutTokens), path: file.path };
}

/**
 * Checks everything that an edge and an agent would refuse at their start: file, variables, plugins, extensions and
 * their options.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD.
 */
export async function validateConfig(context: HostContext): Promise<number> {
  const { input, output, json } = context;
  const problems = new Problems();
  await problems.of(() => readEdgeConfig(input));
  await problems.of(() => readAgentConfig(input));
  const file = (await problems.of(() => readConfigFile(input))) ?? problems.raise();
  const registry = await registryFor(context.plugins, file);
  for (const { kind, name, options } of selections(file)) {
    await problems.of(() => registry.check(kind, name, options));
  }
  if (problems.areThere) problems.raise();
  if (json) writeEvent(output, 'config-valid', { file: file.path });
  else
    output.out(file.path === undefined ? 'There is no configuration file; all is default.' : `${file.path} is valid.`);
  return 0;
}

/** Gathers what several checks find wrong, each thing once. */
class Problems {
  readonly #found = new Set<string>();

  get areThere(): boolean {
    return this.#found.size > 0;
  }

  /** Returns what the work returns; undefined when it fails with GIR_ERR_CONFIG. Passes other errors on. */
  async of<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GiraffeError) || error.code !== 'GIR_ERR_CONFIG') throw error;
      for (const problem of error instanceof ConfigError ? error.problems : [error.message]) this.#found.add(problem);
      return undefined;
    }
  }

  raise(): never {
    throw new ConfigError([...this.#found]);
  }
}

/**
 * Prints the JSON Schema of the configuration file, with the options of all extensions: those of the plugins that the file
 * names as well, if it can be read and they can be loaded. A file that is being mended must not be in the way.
 *
 * @throws {GiraffeError} GIR_ERR_EXTENSION_LOAD for a plugin that is installed and broken.
 */
export async function printSchema({ input, plugins, output, json }: HostContext): Promise<number> {
  try {
    await loadPlugins(plugins, await readConfigFile(input));
  } catch (error) {
    output.err(printable(`Warning: without the plugins of the file: ${GiraffeError.from(error).message}`));
  }
  const registry = await collectExtensions(plugins);
  const offered = registry.list().map(({ extension: { kind, name, options } }) => {
    return { section: sectionOf[kind], name, options };
  });
  output.out(JSON.stringify(configJsonSchema(offered), null, json ? undefined : 2));
  return 0;
}

/** Options are shown when the extension is there and does not call them secret. */
function optionFilter({ config }: LoadedConfig, registry: ExtensionRegistry): OptionFilter {
  return (section, index, path) => {
    const [kind, name] =
      section === 'routing'
        ? (['routing-strategy', config.routing.strategy] as const)
        : section === 'auth'
          ? (['auth-provider', config.auth[index]?.provider] as const)
          : section === 'metrics'
            ? (['metrics-exporter', config.metrics?.[index]?.exporter] as const)
            : (['certificate-source', config.certificates?.source] as const);
    const found = registry.list().find(({ extension }) => extension.kind === kind && extension.name === name);
    return found !== undefined && mayShowOption(found.extension.options, path);
  };
}

/** Takes out what a value itself shows to be secret, wherever it stands, and values of header rules by their fields. */
function withoutTokens(entry: ConfigEntry): ConfigEntry {
  const { key, value } = entry;
  if (typeof value !== 'string') return entry;
  const [, field] = /\.headers\.(?:request|response)\.(?:set|add)\.([^.[]+)/.exec(key) ?? [];
  const shown = field !== undefined && isSecretField(field, value) ? redactedText : value;
  return { ...entry, value: redacted(shown.includes('://') ? maskedTarget(shown, redactedText) : shown) };
}

function isSecretField(name: string, value: string): boolean {
  return maskedFields([[name, value]])[0]?.[1] !== value;
}

function lineOf({ key, value, source, setBy }: ConfigEntry, withSource: boolean): string {
  const shown = value === undefined || value === '' ? '(not set)' : String(value);
  const by = setBy === undefined || source === 'file' ? '' : ` ${setBy}`;
  const origin = withSource ? `  # ${source}${by}` : '';
  return printable(`${key}: ${shown}${origin}`);
}
