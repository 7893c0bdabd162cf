/**
 * Asks every plugin for its extensions: the only place that knows how oclif hooks behave.
 *
 * oclif swallows what goes wrong in a hook, passes over a file without a function, and answers in any order. Here each
 * of these is an error that names the plugin, and the order is that of the names.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { type Extension, type ExtensionsHook, extensionApiVersion } from '../../extension/index.ts';
import { ExtensionRegistry, type InstalledExtension, isExtensionKind } from './extension-registry.ts';

/** The hook by which plugins offer their extensions. */
export const extensionHook = 'giraffe:extensions';
/** Time for one plugin to answer; its import included, it is far below this. */
const hookTimeoutMs = 10_000;

/** A plugin as oclif describes it, as far as it matters here. */
interface HookedPlugin {
  readonly name: string;
  readonly root: string;
  readonly hooks: Readonly<Record<string, readonly { readonly target: string }[] | undefined>>;
}

interface HookResult {
  readonly successes: readonly { readonly plugin: HookedPlugin; readonly result: unknown }[];
  readonly failures: readonly { readonly plugin: HookedPlugin; readonly error: Error }[];
}

/** What is needed of oclif's Config. */
export interface HookRunner {
  readonly root: string;
  readonly plugins: ReadonlyMap<string, HookedPlugin>;
  runHook(
    name: string,
    options: ExtensionsHook['options'],
    timeoutMs: number,
    captureErrors: boolean,
  ): Promise<unknown>;
}

/**
 * Returns the extensions of all plugins, the built-in ones among them.
 *
 * @throws {GiraffeError} GIR_ERR_EXTENSION_LOAD naming every plugin that failed, and how.
 */
export async function collectExtensions(config: HookRunner): Promise<ExtensionRegistry> {
  const options = { apiVersion: extensionApiVersion } as const;
  const result = (await config.runHook(extensionHook, options, hookTimeoutMs, true)) as HookResult;
  const failures = result.failures.filter(({ plugin }) => !hasNoBuiltIns(plugin, config.root));
  const problems = [
    ...failures.map(({ plugin, error }) => ({ plugin: plugin.name, detail: reasonOf(error), cause: error })),
    ...silentPlugins(config, result).map((plugin) => ({ plugin, detail: silence, cause: undefined })),
    ...result.successes.flatMap(({ plugin, result: answer }) =>
      faultsOf(answer).map((detail) => ({ plugin: plugin.name, detail, cause: undefined })),
    ),
  ].sort((a, b) => compare(a.plugin, b.plugin));
  const [first] = problems;
  if (first !== undefined) {
    const message = problems.map(({ plugin, detail }) => `plugin ${plugin}: ${detail}`).join('; ');
    throw new GiraffeError('GIR_ERR_EXTENSION_LOAD', message, { cause: first.cause });
  }
  const installed = result.successes.flatMap(({ plugin, result: answer }) =>
    (answer as readonly Extension[]).map((extension): InstalledExtension => ({ extension, plugin: plugin.name })),
  );
  return new ExtensionRegistry(installed.sort((a, b) => compare(a.plugin, b.plugin)));
}

const silence = `its file for the hook ${extensionHook} exports no function`;

/** Names plugins that declare more hook files than answered. */
function silentPlugins(config: HookRunner, result: HookResult): string[] {
  const answers = [...result.successes, ...result.failures];
  return [...config.plugins.values()]
    .filter((plugin) => {
      const answered = answers.filter((answer) => answer.plugin.name === plugin.name).length;
      return answered < (plugin.hooks[extensionHook]?.length ?? 0);
    })
    .map((plugin) => plugin.name);
}

/** Tells whether this is giraffe itself, built without its own extensions: it may be, and then just has none. */
function hasNoBuiltIns(plugin: HookedPlugin, root: string): boolean {
  return (
    plugin.root === root && !(plugin.hooks[extensionHook] ?? []).some(({ target }) => existsSync(join(root, target)))
  );
}

function reasonOf(error: Error): string {
  const [line = ''] = error.message.split('\n');
  return line;
}

/** Tells what is wrong with a plugin's answer. */
function faultsOf(answer: unknown): string[] {
  if (!Array.isArray(answer)) return [`its hook ${extensionHook} does not return a list`];
  return answer.flatMap((extension: unknown, index) => {
    const fault = faultOf(extension);
    return fault === undefined ? [] : [`extension ${nameOf(extension) ?? `number ${index + 1}`} ${fault}`];
  });
}

function faultOf(extension: unknown): string | undefined {
  if (typeof extension !== 'object' || extension === null) return 'is not an object';
  const { apiVersion, kind, name, summary, options, create } = extension as Partial<Record<keyof Extension, unknown>>;
  if (apiVersion !== extensionApiVersion) {
    return `is made for version ${String(apiVersion)} of the plugin contract; this giraffe has version ${extensionApiVersion}`;
  }
  if (!isExtensionKind(kind)) return `is of the kind ${String(kind)}, which this giraffe does not have`;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) return 'has no kebab-case name';
  if (typeof summary !== 'string') return 'has no summary';
  if (!isSchema(options)) return 'has no zod schema as its options';
  return typeof create === 'function' ? undefined : 'has no function create';
}

/** By its method and not by its class: a plugin may bring its own copy of zod. */
function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'safeParse' in value && typeof value.safeParse === 'function';
}

function nameOf(extension: unknown): string | undefined {
  if (typeof extension !== 'object' || extension === null || !('name' in extension)) return undefined;
  return typeof extension.name === 'string' ? extension.name : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
