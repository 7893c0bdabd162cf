/**
 * The names that only exist at the moment somebody types: of agents, tokens, tunnels, endpoints and plugins.
 *
 * Prints them for the scripts of the shells, one in a line with its meaning behind a colon. What cannot be read is an error
 * like any other; the scripts offer nothing then.
 */
import { existsSync } from 'node:fs';
import { edgeSettings } from '../../config/edge-settings.ts';
import { resolveSettings } from '../../config/setting.ts';
import { targetText } from '../../http/target.ts';
import { openKnownEndpoints } from '../../state/known-endpoints.ts';
import { defaultStateDir, openStateFolder } from '../../state/state-folder.ts';
import { runningAgents } from '../agent/running/running-agents-service.ts';
import { knownTokens } from '../credentials/token-service.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { readConfigFile } from '../settings/program-config.ts';
import type { Asked } from './command-words.ts';

/** A name and what it stands for. */
type Named = readonly [name: string, meaning: string];

const namesOf: Readonly<Record<Asked, (context: HostContext) => Promise<Named[]>>> = {
  agents: async ({ input }) =>
    (await runningAgents(input)).flatMap(({ pid, tunnels }) =>
      tunnels.flatMap(({ name, domain, target }): Named[] => [
        [domain, `${target}, process ${pid}`],
        ...(name === undefined ? [] : [[name, `${domain}, process ${pid}`] as const]),
      ]),
    ),
  endpoints: async (context) => {
    const agents = await runningAgents(context.input);
    const served = agents.flatMap(({ pid, tunnels }) =>
      tunnels.map(({ domain, target }): Named => [domain, `${target}, process ${pid}`]),
    );
    const known = (await edgeHosts(context)).map((host): Named => [host, 'an endpoint of the edge']);
    return [...served, ...known];
  },
  plugins: async ({ plugins }) =>
    [...plugins.plugins.values()]
      .filter(({ type }) => type === 'user' || type === 'link')
      .map(({ name, version }): Named => [name, version]),
  tokens: async (context) =>
    (await knownTokens(context)).flatMap(({ id, name, endpoints }): Named[] => [
      [id, `${name}, ${endpoints.join(' ')}`],
      [name, `${id}, ${endpoints.join(' ')}`],
    ]),
  tunnels: async ({ input }) => {
    const { tunnels } = (await readConfigFile(input)).config;
    return Object.entries(tunnels).map(
      ([name, { domain, target }]): Named => [name, `${domain ?? ''} ${targetText(target)}`.trim()],
    );
  },
};

/** Prints the names of a kind, for a line of which `words` are the words so far. Throws as the commands that list them do. */
export async function printNames(context: HostContext, kind: Asked, words: readonly string[]): Promise<number> {
  const input = { ...context.input, flags: flagsIn(words) };
  const named = new Map((await namesOf[kind]({ ...context, input })).toReversed());
  for (const [name, meaning] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // What a shell would take apart or run is not offered.
    if (/^[\w@./-]+$/.test(name)) context.output.out(`${name}:${meaning.replaceAll(/[^ -~]/g, '?')}`);
  }
  return 0;
}

/** Returns the flags that say where to look. bash takes `--flag=value` apart at its `=`. */
function flagsIn(words: readonly string[]): Record<string, string> {
  const parts = words.flatMap((word) => word.split(/^(--[\w-]+)=/).filter((part) => part !== ''));
  const values = parts.filter((part) => part !== '=');
  return Object.fromEntries(
    ['config', 'state-dir'].flatMap((flag) => {
      const at = values.indexOf(`--${flag}`);
      const value = values[at + 1];
      return at === -1 || value === undefined || value === '' ? [] : [[flag, value]];
    }),
  );
}

async function edgeHosts({ input, output }: HostContext): Promise<readonly string[]> {
  const { source } = await readConfigFile(input);
  const { stateDir } = resolveSettings({ stateDir: edgeSettings.stateDir }, input.flags, input.environment, source);
  const path = stateDir ?? defaultStateDir(input.environment);
  // A look makes no folder.
  if (!existsSync(path)) return [];
  const onWarning = ({ message }: { readonly message: string }) => output.err(message);
  await using folder = await openStateFolder(path, { onWarning });
  await using endpoints = await openKnownEndpoints(folder);
  return endpoints.hosts;
}
