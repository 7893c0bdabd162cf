/** The completion script for zsh: tables with what each word means, and a function that walks the words of the line. */
import type { Vocabulary } from './command-words.ts';
import { type CompletionTable, completionTables } from './completion-tables.ts';

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
export function zshScript(vocabulary: Vocabulary): string {
  const head = '#compdef giraffe\n# Completion of giraffe for zsh, made by `giraffe completion zsh`.\n';
  return [head, ...completionTables(vocabulary).map(tableText), walk.trimStart()].join('\n');
}

/** Returns a function that prints a line for each word with what it means, or the text, for a key. */
function tableText({ name, comment, entries, missing }: CompletionTable): string {
  const lines = entries.map(([key, entry]) => {
    const texts = 'text' in entry ? [entry.text] : entry.words.map(({ word, meaning }) => `${word}:${meaning}`);
    return `    '${key}') print -rl -- ${texts.map(quoted).join(' ')} ;;`;
  });
  return `# ${comment}\n${name}() {\n  case $1 in\n${lines.join('\n')}\n    *) return ${missing} ;;\n  esac\n}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
