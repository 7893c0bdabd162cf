/**
 * The completion script for bash 4 and newer: tables, and a function that walks the words of the line.
 *
 * It starts giraffe only where a name is expected. bash takes `--flag=value` apart at its `=`, and other words at their colons.
 */
import type { Vocabulary } from './command-words.ts';
import { type CompletionTable, completionTables } from './completion-tables.ts';

const walk = `
# Fills COMPREPLY with the words of $1 that begin with $2.
_giraffe_reply() {
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$1" -- "$2"))
}

# Prints what a value can be: words as they are, and names after asking for them.
_giraffe_words() {
  if [[ $1 == \\?* ]]; then
    giraffe completion names "\${1#?}" -- "\${COMP_WORDS[@]:1}" 2>/dev/null | cut -d : -f 1
  else
    echo "$1"
  fi
}

# Fills COMPREPLY with what a value can be: words, or files.
_giraffe_reply_value() {
  if [[ $1 == FILE ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$2")
  else
    _giraffe_reply "$(_giraffe_words "$1")" "$2"
  fi
}

_giraffe() {
  local current=\${COMP_WORDS[COMP_CWORD]} name= index=1 at flag value
  COMPREPLY=()
  [[ \${COMP_WORDS[1]} == help && COMP_CWORD -gt 1 ]] && index=2
  # The command: words from the front for as long as they name one.
  while ((index < COMP_CWORD)) && [[ " $(_giraffe_next "$name") " == *" \${COMP_WORDS[index]} "* ]]; do
    name=\${name:+$name }\${COMP_WORDS[index]}
    index=$((index + 1))
  done
  for ((at = index; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} == -- ]] || continue
    # A command of one's own, and what it is called with.
    if ((at + 1 == COMP_CWORD)); then mapfile -t COMPREPLY < <(compgen -c -- "$current")
    else _giraffe_reply_value FILE "$current"
    fi
    return
  done
  flag=\${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $current == = ]]; then current=
  elif [[ $flag == = ]]; then flag=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if value=$(_giraffe_value "$flag"); then _giraffe_reply_value "$value" "$current"
  elif [[ $current == -* ]]; then _giraffe_reply "$(_giraffe_flags "$name")" "$current"
  elif ((index < COMP_CWORD)); then _giraffe_reply_value "$(_giraffe_argument "$name")" "$current"
  else
    value=$(_giraffe_argument "$name")
    _giraffe_reply "$(_giraffe_next "$name") $(_giraffe_words "\${value/#FILE/}")" "$current"
    if [[ $value == FILE && \${#COMPREPLY[@]} == 0 ]]; then _giraffe_reply_value FILE "$current"; fi
  fi
  return 0
}

complete -F _giraffe giraffe
`;

/** Returns the script. */
export function bashScript(vocabulary: Vocabulary): string {
  const head = '# Completion of giraffe for bash, made by `giraffe completion bash`.\n';
  return [head, ...completionTables(vocabulary).map(tableText), walk.trimStart()].join('\n');
}

/** Returns a function that prints the words or the text for a key. */
function tableText({ name, comment, entries, missing }: CompletionTable): string {
  const lines = entries.map(([key, entry]) => {
    const text = 'text' in entry ? entry.text : entry.words.map(({ word }) => word).join(' ');
    return `    '${key}') echo '${text}' ;;`;
  });
  return `# ${comment}\n${name}() {\n  case $1 in\n${lines.join('\n')}\n    *) return ${missing} ;;\n  esac\n}\n`;
}
