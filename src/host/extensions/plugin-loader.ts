/**
 * Loads the plugins that the configuration file names, the way oclif would have: they then answer hooks like any other.
 *
 * oclif's own loading passes over what fails. Here every plugin that is missing or no plugin is an error that names it.
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Interfaces, Plugin } from '@oclif/core';
import { ConfigError } from '../../config/config-error.ts';
import { configFolder, type LoadedConfig } from '../../config/config-file.ts';
import { extensionHook, type HookRunner } from './collect-extensions.ts';

/** What is needed of oclif's Config: a place for further plugins. */
export interface PluginHost extends HookRunner {
  readonly plugins: Map<string, Interfaces.Plugin>;
}

/**
 * Loads the plugins of a configuration and puts them beside those that are there. They are named by packages or by paths
 * that begin with `.` or `/`, both relative to where the file is.
 *
 * @throws {GiraffeError} GIR_ERR_EXTENSION_LOAD naming each plugin that cannot be loaded, and why.
 */
export async function loadPlugins(host: PluginHost, file: LoadedConfig): Promise<void> {
  const folder = configFolder(file, process.cwd());
  const problems: string[] = [];
  for (const name of file.config.plugins) {
    try {
      const plugin = await loadPlugin(name, folder);
      host.plugins.set(plugin.name, plugin);
    } catch (error) {
      const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      problems.push(`plugin ${name}: ${reason}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems, 'GIR_ERR_EXTENSION_LOAD');
}

async function loadPlugin(name: string, folder: string): Promise<Interfaces.Plugin> {
  const root = await findRoot(name, folder);
  const declared = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly name?: unknown };
  if (typeof declared.name !== 'string') throw new Error(`the package.json in ${root} has no name`);
  // Without a name, because oclif would look for a folder of that name above `root` first.
  const plugin = new Plugin({ root, type: 'user' });
  await plugin.load();
  if (!plugin.valid) throw new Error(`the package.json in ${root} has no section oclif, so it is no plugin`);
  if ((plugin.hooks[extensionHook] ?? []).length === 0) {
    throw new Error(`its package.json declares no hook ${extensionHook}, so it offers no extension`);
  }
  return plugin;
}

/** Finds the folder of a package, as Node would from a module in `folder`, but also where `exports` hides package.json. */
async function findRoot(name: string, folder: string): Promise<string> {
  if (name.startsWith('.') || isAbsolute(name)) {
    const root = resolve(folder, name);
    if (await hasPackage(root)) return root;
    throw new Error(`there is no package.json in ${root}`);
  }
  for (let above = resolve(folder); ; above = dirname(above)) {
    const root = join(above, 'node_modules', name);
    if (await hasPackage(root)) return root;
    if (above === dirname(above)) break;
  }
  throw new Error(
    `it is not installed: no node_modules/${name} in ${folder} or above it; run npm install ${name} there`,
  );
}

async function hasPackage(root: string): Promise<boolean> {
  return readFile(join(root, 'package.json')).then(
    () => true,
    () => false,
  );
}
