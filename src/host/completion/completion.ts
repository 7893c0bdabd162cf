/** What `giraffe completion` prints: a script that teaches a shell the commands and flags. */

import type { HostContext } from '../oclif/host-context.ts';
import { writeEvent } from '../terminal/output.ts';
import { bashScript } from './bash-script.ts';
import { type DescribedCommand, type DescribedTopic, vocabularyOf } from './command-words.ts';
import { fishScript } from './fish-script.ts';
import { zshScript } from './zsh-script.ts';

/** Shells that there is a script for. */
export type Shell = 'bash' | 'fish' | 'zsh';

const scriptOf = { bash: bashScript, fish: fishScript, zsh: zshScript } as const;

/** What `giraffe completion` is run with. */
export interface CompletionContext extends Pick<HostContext, 'output' | 'json'> {
  readonly commands: readonly DescribedCommand[];
  readonly topics: readonly DescribedTopic[];
}

/** Prints the script and returns the exit status. */
export function printCompletion(shell: Shell, { commands, topics, output, json }: CompletionContext): number {
  const script = scriptOf[shell](vocabularyOf(commands, topics));
  if (json) writeEvent(output, 'completion', { shell, script });
  else output.out(script.trimEnd());
  return 0;
}
