/**
 * oclif's hook for a command that does not exist: says so, names the nearest one, and exits as for any wrong usage.
 *
 * Neither asks back nor repeats what was typed beyond the command: there may be a token in it.
 */
import type { Hook } from '@oclif/core';
import { readEnvironment } from '../../config/env.ts';
import { editDistance, nearestFirst } from '../../config/nearest.ts';
import { codes } from '../../errors/codes.ts';
import { writeError } from '../errors/error-report.ts';
import { processOutput } from '../terminal/output.ts';
import { told } from '../terminal/printable.ts';

/** Called by oclif; `id` is everything up to the first flag, joined with colons. */
export const commandNotFound: Hook.CommandNotFound = async function notFound({ id, argv, config, context }) {
  const { message, fix } = notFoundText(id, config.bin, config.commandIDs);
  const json = (argv ?? []).includes('--json');
  writeError({ output: processOutput(readEnvironment()), json }, { code: 'GIR_ERR_USAGE', message, fix });
  context.exit(codes.GIR_ERR_USAGE.exit);
};

/** Returns what to tell. Pure. */
export function notFoundText(id: string, bin: string, ids: readonly string[]): { message: string; fix: string } {
  const parent = ids.find((known) => id.startsWith(`${known}:`));
  if (parent !== undefined) {
    const name = `${bin} ${parent.replaceAll(':', ' ')}`;
    return { message: `${name} takes no further argument`, fix: `Run \`${name} --help\`.` };
  }
  const [typed = ''] = id.split(':');
  const inTopic = ids.filter((known) => known.startsWith(`${typed}:`));
  const nearest = inTopic.length === 0 ? nearestCommand(id, ids) : nearestFirst(id, inTopic)[0];
  const [what, topic] =
    inTopic.length === 0 ? [`command ${told(typed)}`, ''] : [`such command of ${bin} ${typed}`, ` ${typed}`];
  const hint = nearest === undefined ? '' : `; the nearest is ${nearest.replaceAll(':', ' ')}`;
  return { message: `there is no ${what}${hint}`, fix: `Run \`${bin}${topic} --help\`.` };
}

/** Edits above which a name is not what somebody meant; of a short word at most half may be another. */
const maxEdits = 3;

/** Returns the command or topic that was meant: it ends in what was typed, or is like as many words of it as it has itself. */
function nearestCommand(id: string, ids: readonly string[]): string | undefined {
  const words = id.split(':');
  const ending = ids.find((name) => name.endsWith(`:${words[0]}`));
  if (ending !== undefined) return ending;
  const names = new Set([...ids, ...ids.map((name) => name.split(':', 1).join())]);
  const [nearest] = [...names]
    .map((name) => {
      const { length } = name.split(':');
      const typed = words.slice(0, length).join(':');
      return { name, length, typed, edits: editDistance(typed, name) };
    })
    .filter(({ edits, typed }) => edits <= Math.min(maxEdits, typed.length / 2))
    .sort((a, b) => a.edits - b.edits || b.length - a.length);
  return nearest?.name;
}
