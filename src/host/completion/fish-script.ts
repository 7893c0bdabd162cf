/**
 * The completion script for fish: tables with what each word means, and a function that walks the words of the line.
 *
 * It prints all that can stand there, one in a line with its meaning behind a tab; fish leaves out what does not fit.
 */
import type { Vocabulary } from './command-words.ts';
import { type CompletionTable, completionTables, type TableEntry } from './completion-tables.ts';

const walk = `
# Prints what a value can be: words, files, or names after asking for them. $argv[2] is what is there of it so far.
function _giraffe_offer
    switch $argv[1]
        case FILE
            # As it is typed, with the shell's own signs.
            __fish_complete_path (string unescape -- $argv[2]; or echo $argv[2])
        case '\\?*'
            set -l kind (string sub --start 2 -- $argv[1])
            set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token)
            giraffe completion names $kind -- $words[2..] 2>/dev/null | string replace ':' \\t
        case '*'
            string split --no-empty ' ' -- $argv[1]
    end
end

function _giraffe
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --cut-at-cursor --current-token)
    set -l index 2
    set -l name ''
    if test (count $words) -gt 1; and test "$words[2]" = help
        set index 3
    end
    # The command: words from the front for as long as they name one.
    while test $index -le (count $words)
        _giraffe_next $name | string match --quiet -- "$words[$index]"\\t'*'; or break
        set name (string trim -- "$name $words[$index]")
        set index (math $index + 1)
    end
    if set -l dashes (contains --index -- -- $words[$index..])
        # A command of one's own, and what it is called with.
        set -l own $words[(math $index + $dashes)..]
        complete --do-complete (string join ' ' -- (string escape -- $own) $current)
        return
    end
    if set -l parts (string match --regex --groups-only -- '^(--[^=]+)=(.*)$' $current)
        set -l value (_giraffe_value $parts[1]); or return
        _giraffe_offer "$value" "$parts[2]" | string replace --regex -- '^' "$parts[1]="
    else if set -l value (_giraffe_value "$words[-1]")
        _giraffe_offer "$value" "$current"
    else if string match --quiet -- '-*' $current
        _giraffe_flags $name
    else
        test $index -gt (count $words); and _giraffe_next $name
        _giraffe_offer "$(_giraffe_argument $name)" "$current"
    end
end

complete --command giraffe --no-files --arguments '(_giraffe)'
`;

/** Returns the script. */
export function fishScript(vocabulary: Vocabulary): string {
  const head = '# Completion of giraffe for fish, made by `giraffe completion fish`.\n';
  return [head, ...completionTables(vocabulary).map(tableText), walk.trimStart()].join('\n');
}

/** Returns a function that prints a line for each word with what it means, or the text, for a key. */
function tableText({ name, comment, entries, missing }: CompletionTable): string {
  const lines = entries.map(([key, entry]) => `        case ${quoted(key)}\n            ${lineOf(entry)}`);
  const otherwise = `        case '*'\n            return ${missing}`;
  return `# ${comment}\nfunction ${name}\n    switch "$argv[1]"\n${lines.join('\n')}\n${otherwise}\n    end\nend\n`;
}

function lineOf(entry: TableEntry): string {
  if ('text' in entry) return `echo ${quoted(entry.text)}`;
  const pairs = entry.words.map(({ word, meaning }) => `${quoted(word)} ${quoted(meaning)}`);
  return `printf '%s\\t%s\\n' ${pairs.join(' ')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
