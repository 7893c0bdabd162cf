/**
 * oclif's hook for a command that does not exist: says so, names the nearest one, and exits as for any wrong usage.
 *
 * Neither asks back nor repeats what was typed beyond the command: there may be a token in it.
 */
import type { Hook } from '@oclif/core';
import { readEnvironment } from '../config/env.ts';
import { nearestFirst } from '../config/nearest.ts';
import { codes } from '../errors/codes.ts';
import { processOutput, writeEvent } from './output.ts';
import { printable, redacted } from './printable.ts';

/** Called by oclif; `id` is everything up to the first flag, joined with colons. */
export const commandNotFound: Hook.CommandNotFound = async function notFound({ id, argv, config, context }) {
  const { message, fix } = notFoundText(id, config.bin, config.commandIDs);
  const output = processOutput(readEnvironment());
  if ((argv ?? []).includes('--json')) writeEvent(output, 'error', { code: 'GIR_ERR_USAGE', message, fix });
  else for (const line of [`Error: ${message} (GIR_ERR_USAGE)`, `Next:  ${fix}`]) output.err(line);
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
  const [nearest = 'help'] = nearestFirst(id, inTopic.length === 0 ? ids : inTopic);
  const [what, topic] =
    inTopic.length === 0
      ? [`command ${printable(redacted(typed))}`, '']
      : [`such command of ${bin} ${typed}`, ` ${typed}`];
  const message = `there is no ${what}; the nearest is ${nearest.replaceAll(':', ' ')}`;
  return { message, fix: `Run \`${bin}${topic} --help\`.` };
}
