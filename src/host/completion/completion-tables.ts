/** The tables in which the scripts of all shells look words up. How they are written is up to each script. Pure. */
import { type Described, type Value, type Vocabulary, valueText } from './command-words.ts';

/** What a table tells for a key: words with what they mean, or a value as {@link valueText} writes it. */
export type TableEntry = { readonly words: readonly Described[] } | { readonly text: string };

/** One table. */
export interface CompletionTable {
  /** Of the function that looks a key up. */
  readonly name: string;
  readonly comment: string;
  readonly entries: readonly (readonly [key: string, entry: TableEntry])[];
  /** Status of the function for a key that the table lacks. */
  readonly missing: 0 | 1;
}

/** Returns the tables; a command of which one has nothing to tell is not in it. */
export function completionTables({ commands, values }: Vocabulary): readonly CompletionTable[] {
  const wordsOf = (part: 'next' | 'flags') =>
    commands
      .filter((command) => command[part].length > 0)
      .map((command) => [command.name, { words: command[part] }] as const);
  const taken = commands.flatMap(({ name, argument }) =>
    argument === undefined ? [] : [[name, textOf(argument)] as const],
  );
  return [
    { name: '_giraffe_next', comment: 'Words that may follow a command.', entries: wordsOf('next'), missing: 0 },
    { name: '_giraffe_flags', comment: 'Flags of a command.', entries: wordsOf('flags'), missing: 0 },
    { name: '_giraffe_argument', comment: 'What the argument of a command can be.', entries: taken, missing: 0 },
    {
      name: '_giraffe_value',
      comment: 'What a flag takes; fails for one without a value.',
      entries: [...values].map(([flag, value]) => [flag, textOf(value)]),
      missing: 1,
    },
  ];
}

function textOf(value: Value): TableEntry {
  return { text: valueText(value) };
}
