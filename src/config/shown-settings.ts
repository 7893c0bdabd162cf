/** The settings of which `giraffe config show` tells: those that have a place in the configuration file. */
import { agentSettings, callSettings } from './agent-settings.ts';
import { edgeSettings } from './edge-settings.ts';
import type { SettingTable } from './setting.ts';

/** The settings, and where the file itself is. */
export const shownSettings: SettingTable = Object.fromEntries(
  Object.entries({ ...edgeSettings, ...agentSettings }).filter(([name]) => !(name in callSettings)),
);
