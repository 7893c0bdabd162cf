/** The completion script for zsh: tables with what each word means, and a function that walks the words of the line. */
import { type Described, type Vocabulary, valueText } from './command-words.ts';

const walk = `
_giraffe() {
  local name= index=2 at flag value
  local -a rows
  [[ $words[2] == help && CURRENT -gt 2 ]] && index=3
  # The command: words from the front for as long as they name one.
  while ((index < CURRENT)) && [[ $'\\n'"$(_giraffe_next "$name")" == *$'\\n'"$words[index]:"* ]]; do
    name=\${name:+$name }$words[index]
    index=$((index + 1))
  done
  for ((at = index; at < CURRENT; at++)); do
    [[ $words[at] == -- ]] || continue
    # A command of one's own, and what it is called with.
    words=("\${(@)words[at + 1, -1]}")
    CURRENT=$((CURRENT - at))
    _normal
    return
  done
  flag=$words[CURRENT-1]
  if [[ $PREFIX == --*=* ]]; then
    flag=\${PREFIX%%=*}
    compset -P '*='
  fi
  if value=$(_giraffe_value "$flag"); then _giraffe_offer "$value"
  elif [[ $words[CURRENT] == -* ]]; then
    rows=("\${(@f)$(_giraffe_flags "$name")}")
    _describe -o flag rows
  elif ((index < CURRENT)); then _giraffe_offer "$(_giraffe_argument "$name")"
  else
    rows=("\${(@f)$(_giraffe_next "$name")}")
    [[ -n $rows ]] && _describe command rows
    _giraffe_offer "$(_giraffe_argument "$name")"
  fi
}

# Offers what a value can be: words, files, or names after asking for them.
_giraffe_offer() {
  local -a rows
  if [[ $1 == FILE ]]; then _files
  elif [[ $1 == \\?* ]]; then
    rows=("\${(@f)$(giraffe completion names "\${1#?}" -- "\${(@Q)words[2,-1]}" 2>/dev/null)}")
    [[ -n $rows ]] && _describe name rows
  elif [[ -n $1 ]]; then compadd -- \${=1}
  fi
}

# As a file of fpath it is called with the first completion, otherwise it is sourced.
if [[ $funcstack[1] == _giraffe ]]; then _giraffe "$@"; else compdef _giraffe giraffe; fi
`;

/** Returns the script. */
export function zshScript({ commands, values }: Vocabulary): string {
  const next = commands.map(({ name, next: words }) => [name, words.map(rowOf)] as const);
  const flags = commands.map(({ name, flags: words }) => [name, words.map(rowOf)] as const);
  const args = commands.map(
    ({ name, argument }) => [name, argument === undefined ? [] : [valueText(argument)]] as const,
  );
  const taken = [...values].map(([flag, value]) => [flag, [valueText(value)]] as const);
  return [
    '#compdef giraffe\n# Completion of giraffe for zsh, made by `giraffe completion zsh`.\n',
    table('_giraffe_next', 'Words that may follow a command, and what they mean.', next, 0),
    table('_giraffe_flags', 'Flags of a command, and what they mean.', flags, 0),
    table('_giraffe_argument', 'What the argument of a command can be.', args, 0),
    table('_giraffe_value', 'What a flag takes; fails for one without a value.', taken, 1),
    walk.trimStart(),
  ].join('\n');
}

function rowOf({ word, meaning }: Described): string {
  return `${word}:${meaning}`;
}

/** Returns a function that prints the lines for a key; for one that the table lacks, it prints nothing and has this status. */
function table(
  name: string,
  comment: string,
  rows: readonly (readonly [string, readonly string[]])[],
  missing: 0 | 1,
): string {
  const lines = rows
    .filter(([, texts]) => texts.length > 0)
    .map(([key, texts]) => `    '${key}') print -rl -- ${texts.map(quoted).join(' ')} ;;`);
  return `# ${comment}\n${name}() {\n  case $1 in\n${lines.join('\n')}\n    *) return ${missing} ;;\n  esac\n}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
