/** Makes oclif flags of settings, so that help, variable names and defaults come from one table. */
import { Flags, type Interfaces } from '@oclif/core';
import type { Setting, SettingTable } from '../../config/setting.ts';

/**
 * Returns the flags of a table, by flag name.
 *
 * They have no default and no variable of their own: oclif would not say which of them a value came from, and a bad
 * variable is another error than a bad flag.
 */
export function flagsOf(table: SettingTable): Interfaces.FlagInput {
  return Object.fromEntries(Object.values(table).map((entry) => [entry.flag, flagOf(entry)]));
}

/** The flag that every command has. */
export const jsonFlag = Flags.boolean({
  description: 'Write events as lines of JSON to stdout, and nothing else there.',
});

function flagOf(entry: Setting): Interfaces.FlagInput[string] {
  const description = helpText(entry);
  if (entry.valueName === undefined) return Flags.boolean({ description });
  const options = { description, helpValue: entry.valueName };
  return entry.multiple ? Flags.string({ ...options, multiple: true }) : Flags.string(options);
}

function helpText(entry: Setting): string {
  const notes = [
    entry.defaultText === undefined || entry.defaultText === '' || entry.valueName === undefined
      ? undefined
      : `default ${entry.defaultText}`,
    entry.env,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? entry.description : `${entry.description} [${notes.join('; ')}]`;
}
