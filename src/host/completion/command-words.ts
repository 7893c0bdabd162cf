/**
 * What can be typed after `giraffe`: commands, flags and values, in the form in which the scripts of the shells look it up.
 *
 * Taken from the commands that are there when it is asked, those of plugins included. Names that come and go, of agents or
 * tokens, are not in it: it says where the scripts have to ask for them.
 */
import type { Command } from '@oclif/core';
import { agentSettings } from '../../config/agent-settings.ts';
import { benchSettings } from '../../config/bench-settings.ts';
import { edgeSettings } from '../../config/edge-settings.ts';
import { scriptSettings } from '../../config/script-settings.ts';
import type { SettingTable } from '../../config/setting.ts';
import { unitOf } from '../../config/units.ts';
import { checkIds } from '../../doctor/catalogue.ts';
import { codes } from '../../errors/codes.ts';

/** A word and what it means, in one line. */
export interface Described {
  readonly word: string;
  readonly meaning: string;
}

/** Names that come and go; `giraffe completion names` tells which there are. */
export type Asked = 'agents' | 'endpoints' | 'plugins' | 'tokens' | 'tunnels';

/** What a flag or an argument takes: one of some words, a name, a file, or what only its user knows. */
export type Value = { readonly words: readonly string[] } | { readonly asked: Asked } | 'file' | 'own';

/** One command or topic. `name` has spaces between its words and is empty for the program itself. */
export interface CommandWords {
  readonly name: string;
  /** The next words of longer commands. */
  readonly next: readonly Described[];
  /** Flags with their dashes. */
  readonly flags: readonly Described[];
  /** What its argument takes; undefined when it has none, or one that only its user knows. */
  readonly argument: Value | undefined;
}

/** All that the scripts know. */
export interface Vocabulary {
  readonly commands: readonly CommandWords[];
  /** What each flag with a value takes, by the flag with its dashes; a flag means the same for all commands. */
  readonly values: ReadonlyMap<string, Value>;
}

/** A command as oclif's manifest describes it. */
export type DescribedCommand = Pick<Command.Loadable, 'id' | 'hidden' | 'summary' | 'description' | 'flags' | 'args'>;

/** A topic as oclif describes it. */
export interface DescribedTopic {
  readonly name: string;
  readonly description?: string | undefined;
}

const tables: readonly SettingTable[] = [edgeSettings, agentSettings, scriptSettings, benchSettings];
/** Words of the flags that take one of a few. */
const choices = new Map(
  tables
    .flatMap((table) => Object.values(table))
    .flatMap(({ flag, schema }) => {
      const { words } = unitOf(schema);
      return words === undefined ? [] : [[flag, words] as const];
    }),
);
/** Words of arguments that may be another word, too, so that the command does not list them as its options. */
const argumentWords: Readonly<Record<string, readonly string[]>> = {
  explain: [...Object.keys(codes), ...checkIds],
};

/** Commands whose argument is a name that comes and goes. */
const argumentNames: Readonly<Record<string, Asked>> = {
  'plugins:inspect': 'plugins',
  'plugins:uninstall': 'plugins',
  'plugins:unlink': 'plugins',
  'token:revoke': 'tokens',
  tunnel: 'tunnels',
  'tunnel:stop': 'agents',
};
/** Flags with such a name. */
const flagNames: Readonly<Record<string, Asked>> = { domain: 'endpoints' };

/** Returns what can be typed. `topics` tells what the first words mean where they are no command. */
export function vocabularyOf(commands: readonly DescribedCommand[], topics: readonly DescribedTopic[]): Vocabulary {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const names = new Set(['']);
  for (const { id } of shown) {
    const words = id.split(':');
    for (let count = 1; count <= words.length; count += 1) names.add(words.slice(0, count).join(' '));
  }
  const commandOf = (name: string) => shown.find(({ id }) => id === name.replaceAll(' ', ':'));
  const meaningOf = (name: string): string => {
    const command = commandOf(name);
    const topic = topics.find((one) => one.name === name.replaceAll(' ', ':'));
    return firstLine(command?.summary ?? command?.description ?? topic?.description ?? '');
  };
  const sorted = [...names].sort();
  const all = sorted.map((name): CommandWords => {
    const below = sorted.filter((other) => other !== '' && other !== name && parentOf(other) === name);
    const command = commandOf(name);
    return {
      name,
      next: below.map((other) => ({ word: other.slice(other.lastIndexOf(' ') + 1), meaning: meaningOf(other) })),
      flags: command === undefined ? [] : flagsOf(command),
      argument: command === undefined ? undefined : argumentOf(command),
    };
  });
  return { commands: all, values: valuesOf(shown) };
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(' ')));
}

function flagsOf({ flags }: DescribedCommand): Described[] {
  const own = Object.values(flags).filter(({ hidden }) => hidden !== true);
  const described = own.map(({ name, summary, description }) => {
    return { word: `--${name}`, meaning: firstLine(summary ?? description ?? '') };
  });
  const help = { word: '--help', meaning: 'Show help.' };
  return [...described.filter(({ word }) => word !== help.word), help].sort((a, b) => (a.word < b.word ? -1 : 1));
}

function argumentOf({ id, args }: DescribedCommand): Value | undefined {
  const words = argumentWords[id] ?? Object.values(args).find(({ options }) => options !== undefined)?.options;
  if (words !== undefined) return { words };
  const asked = argumentNames[id];
  if (asked !== undefined) return { asked };
  return Object.keys(args).some((name) => name === 'file' || name === 'path') ? 'file' : undefined;
}

function valuesOf(commands: readonly DescribedCommand[]): Map<string, Value> {
  const flags = commands.flatMap((command) => Object.values(command.flags)).filter(({ type }) => type === 'option');
  return new Map(flags.map((flag) => [`--${flag.name}`, takenBy(flag)]));
}

function takenBy(flag: Command.Flag.Cached): Value {
  const words = choices.get(flag.name) ?? (flag.type === 'option' ? flag.options : undefined);
  if (words !== undefined) return { words };
  const asked = flagNames[flag.name];
  if (asked !== undefined) return { asked };
  const { helpValue = '' } = flag as { helpValue?: string | readonly string[] };
  return /^(?:FILE|DIR)\b/.test(String(helpValue)) ? 'file' : 'own';
}

/** Returns how a script writes a value: its words, FILE, what to ask for behind a question mark, or nothing. */
export function valueText(value: Value): string {
  if (value === 'own') return '';
  if (value === 'file') return 'FILE';
  return 'asked' in value ? `?${value.asked}` : value.words.join(' ');
}

function firstLine(text: string): string {
  return text.replaceAll('<%= config.bin %>', 'giraffe').split('\n', 1)[0] ?? '';
}
