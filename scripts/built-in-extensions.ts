/** The built-in extensions, for the scripts that write about them. */
import type { OfferedExtension } from '../src/config/extension-options.ts';
import type { Extension } from '../src/extension/index.ts';
import { sectionOf } from '../src/host/extensions/extension-selection.ts';
import builtIns from '../src/plugins/index.ts';

/** All of them, in the order in which they are listed. */
export const builtInExtensions = (await builtIns()) as readonly unknown[] as readonly Extension[];

/** The same as the configuration file sees them. */
export const offeredExtensions: readonly OfferedExtension[] = builtInExtensions.map(({ kind, name, options }) => {
  return { section: sectionOf[kind], name, options };
});
