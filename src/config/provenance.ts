/**
 * What is in force and where each value comes from, for `giraffe config show`. Secrets are not in it.
 */

import { agentSettings } from './agent-settings.ts';
import { type LoadedConfig, settingKey } from './config-file.ts';
import { edgeSettings } from './edge-settings.ts';
import type { ExtensionSection } from './extension-options.ts';
import { redactedText } from './secret.ts';
import { findSetting, type Setting, type SettingSource, type SettingSources } from './setting.ts';

/** One value. */
export interface ConfigEntry {
  /** Its place in the file: `server.ports.proxy`, `auth[0].provider`. */
  readonly key: string;
  /** As it could be typed; undefined when nothing sets it and there is no default. */
  readonly value: string | number | boolean | undefined;
  readonly source: SettingSource;
  /** What set it: a flag, a variable, a file; undefined for a default. */
  readonly setBy: string | undefined;
}

/** Parts of a key that promise a secret behind them. */
const secretName = /authorization|cookie|credential|passw|secret|token$|api-?key|private-?key/i;

/** Endings of keys that only say where a secret is. */
const referenceName = /(?:file|path|url)$/i;

/** Returns the entries of all settings, in the order of the sections. */
export function settingEntries(sources: SettingSources): ConfigEntry[] {
  const entries = new Map<string, ConfigEntry>();
  for (const setting of [...Object.values(edgeSettings), ...Object.values(agentSettings)]) {
    const key = settingKey(setting);
    // The log is in both tables, with another default in each; the edge's is shown.
    if (key !== undefined && !entries.has(key)) entries.set(key, settingEntry(key, setting, sources));
  }
  return [...entries.values()];
}

function settingEntry(key: string, setting: Setting, sources: SettingSources): ConfigEntry {
  const { source, text, name } = findSetting(setting, sources);
  const value = text !== undefined && setting.secret ? redactedText : text;
  const setBy = source === 'default' ? undefined : source === 'file' ? sources.file?.path : name;
  return { key, value, source, setBy };
}

/** Tells whether an option of an extension may be shown. */
export type OptionFilter = (section: ExtensionSection, index: number, path: readonly string[]) => boolean;

/**
 * Returns the entries of the sections that only a file can set.
 *
 * @param isShown Asked about every option of an extension.
 */
export function sectionEntries({ path, raw, config }: LoadedConfig, isShown: OptionFilter): ConfigEntry[] {
  const { plugins, routing, auth, metrics, certificates } = config;
  const { server, tunnels } = raw;
  const flat = flatten({ server, plugins, routing, auth, metrics, certificates, tunnels }, []).filter(
    ({ keys }) => !isSetting(keys),
  );
  return flat.map(({ keys, value }): ConfigEntry => {
    const isSet = path !== undefined && hasPath(raw, keys);
    const isHidden = !mayShow(keys, isShown);
    return {
      key: keys.join('.').replace(/\.(\d+)(?=\.|$)/g, '[$1]'),
      value: isHidden ? redactedText : value,
      source: isSet ? 'file' : 'default',
      setBy: isSet ? path : undefined,
    };
  });
}

const settingKeys = new Set(
  [...Object.values(edgeSettings), ...Object.values(agentSettings)].map((setting) => settingKey(setting)),
);

/** Tells whether a place of the file is (in) the value of a setting. */
function isSetting(keys: readonly string[]): boolean {
  return keys.some((_, index) => settingKeys.has(keys.slice(0, index + 1).join('.')));
}

function mayShow(keys: readonly string[], isShown: OptionFilter): boolean {
  if (keys.some((key) => secretName.test(key) && !referenceName.test(key))) return false;
  const at = keys.indexOf('options');
  const [section, index] = keys;
  if (at === -1 || section === undefined || section === 'tunnels' || section === 'plugins' || section === 'server')
    return true;
  return isShown(
    section as Parameters<OptionFilter>[0],
    /^\d+$/.test(index ?? '') ? Number(index) : 0,
    keys.slice(at + 1),
  );
}

interface Flat {
  readonly keys: readonly string[];
  readonly value: ConfigEntry['value'];
}

function flatten(value: unknown, keys: readonly string[]): Flat[] {
  if (isMappingOrList(value)) {
    return Object.entries(value).flatMap(([key, inner]) => flatten(inner, [...keys, key]));
  }
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return value === undefined ? [] : [{ keys, value: isPlain ? value : String(value) }];
}

/** Objects of other kinds may stand in options. */
function isMappingOrList(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}

function hasPath(root: unknown, keys: readonly string[]): boolean {
  let value = root;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return true;
}
