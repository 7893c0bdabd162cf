/** The settings of which `giraffe config show` tells: those that have a place in the configuration file. */
import { agentSettings, callSettings } from './agent-settings.ts';
import { edgeSettings } from './edge-settings.ts';
import type { SettingTable } from './setting.ts';

/** The settings, and where the file itself is. Of what both tables have, the edge's is told, as in the values. */
export const shownSettings: SettingTable = Object.fromEntries(
  Object.entries({ ...agentSettings, ...edgeSettings }).filter(([name]) => !(name in callSettings)),
);
