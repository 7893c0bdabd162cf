/** Compares two sets of settings: what a reload can put in force, and what needs a restart. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { SettingTable, SettingValues } from '../../config/setting.ts';

/** What differs. */
export interface SettingChanges<Table extends SettingTable> {
  /** Flags of settings that a reload puts in force. */
  readonly live: readonly string[];
  /** Flags of settings that need a restart. */
  readonly restart: readonly string[];
  /** What is in force after the reload: the new values, and the old ones of what needs a restart. */
  readonly values: SettingValues<Table>;
}

/** Returns what differs between the settings in force and others. */
export function settingChanges<Table extends SettingTable>(
  table: Table,
  current: SettingValues<Table>,
  next: SettingValues<Table>,
): SettingChanges<Table> {
  const names = Object.keys(table) as (keyof Table & string)[];
  const changed = names.filter((name) => !isDeepStrictEqual(current[name], next[name]));
  const flags = (reload: 'live' | 'restart') =>
    changed.filter((name) => table[name]?.reload === reload).map((name) => table[name]?.flag ?? name);
  const kept = changed.filter((name) => table[name]?.reload === 'restart').map((name) => [name, current[name]]);
  return { live: flags('live'), restart: flags('restart'), values: { ...next, ...Object.fromEntries(kept) } };
}
