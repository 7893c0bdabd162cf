/** Loads this package as the plugin it is, for programs that are not the command `giraffe`: its extensions come by the hook. */
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import type { PluginHost } from './plugin-loader.ts';

/** Returns a host with the built-in extensions, and without the plugins that the command `giraffe` has installed. */
export async function loadOwnPlugin(): Promise<PluginHost> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  return (await Config.load({ root, userPlugins: false, devPlugins: false })) as unknown as PluginHost;
}
