/** Lists and stops the agents that run on this machine, and tells what it did. */
import { agentSettings } from '../../../config/agent-settings.ts';
import { stopSettings } from '../../../config/running-agent-settings.ts';
import { exclusive, resolveSettings } from '../../../config/setting.ts';
import { GiraffeError } from '../../../errors/giraffe-error.ts';
import { listRunningAgents, type RunningAgent } from '../../../state/running-agents.ts';
import { defaultStateDir } from '../../../state/state-folder.ts';
import type { HostContext } from '../../oclif/host-context.ts';
import { type ProgramInput, readConfigFile } from '../../settings/program-config.ts';
import { writeEvent } from '../../terminal/output.ts';
import { printable } from '../../terminal/printable.ts';
import { tableOrBlocks } from '../../terminal/text-table.ts';
import { endProcess } from './agent-process.ts';

/** Prints the tunnels of all running agents. Throws GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_STATE. */
export async function listTunnels({ input, output, json }: Omit<HostContext, 'plugins'>): Promise<number> {
  const agents = await runningAgents(input);
  if (json) {
    for (const { v: _, tunnels, ...agent } of agents) {
      for (const tunnel of tunnels) writeEvent(output, 'tunnel', { ...tunnel, ...agent });
    }
  } else if (agents.length === 0) output.err('No agent is running. `giraffe tunnel TARGET` starts one.');
  else {
    const layout = { width: process.stdout.columns ?? Number.POSITIVE_INFINITY, title: urlColumn };
    for (const line of tableOrBlocks(rowsOf(agents, Date.now()), layout)) output.out(line);
  }
  return 0;
}

/**
 * Stops agents and waits until they have ended: the one that `wanted` names, or with --all every one, or without both the
 * only one there is.
 *
 * @param wanted A domain, a name in the configuration file, or a process id.
 * @throws {GiraffeError} GIR_ERR_AGENT_UNKNOWN when nothing has that name; GIR_ERR_USAGE when more would end than it
 *   says; GIR_ERR_CONFIG, GIR_ERR_STATE.
 */
export async function stopTunnels(
  { input, output, json }: Omit<HostContext, 'plugins'>,
  wanted: string | undefined,
): Promise<number> {
  const { all, timeout } = resolveSettings(stopSettings, input.flags, input.environment);
  if (all && wanted !== undefined) throw exclusive('NAME', '--all');
  const agents = await runningAgents(input);
  const chosen = all ? agents : chooseAgents(agents, wanted);
  if (chosen.length === 0 && !json) output.err('No agent is running.');
  await Promise.all(
    chosen.map(async ({ pid, tunnels }) => {
      const isForced = await endProcess(pid, timeout);
      if (json) writeEvent(output, 'stopped', { pid, tunnels, forced: isForced });
      else {
        const urls = tunnels.map(({ url }) => url).join(', ');
        output.err(printable(`Stopped agent ${pid}: ${urls}${isForced ? ' (what was in flight was cut off)' : ''}`));
      }
    }),
  );
  return 0;
}

/** Returns the agents that `wanted` means. Pure. Throws as {@link stopTunnels} does. */
export function chooseAgents(agents: readonly RunningAgent[], wanted: string | undefined): readonly RunningAgent[] {
  if (wanted === undefined) {
    if (agents.length < 2) return agents;
    throw new GiraffeError('GIR_ERR_USAGE', `several agents run, name one or pass --all: ${namesOf(agents)}`);
  }
  const byPid = agents.filter(({ pid }) => String(pid) === wanted);
  if (byPid.length > 0) return byPid;
  const domain = wanted.toLowerCase();
  const byDomain = agents.filter(({ tunnels }) => tunnels.some((tunnel) => tunnel.domain === domain));
  const found = byDomain.length > 0 ? byDomain : agents.filter(({ tunnels }) => tunnels.some((t) => t.name === wanted));
  if (found.length === 0) {
    const runs = agents.length === 0 ? 'no agent is running' : `running: ${namesOf(agents)}`;
    throw new GiraffeError('GIR_ERR_AGENT_UNKNOWN', `no running tunnel is called ${wanted}; ${runs}`);
  }
  const domains = new Set(found.flatMap(({ tunnels }) => tunnels.map((tunnel) => tunnel.domain)));
  if (domains.size === 1) return found;
  throw new GiraffeError(
    'GIR_ERR_USAGE',
    `other tunnels would end with ${wanted}; if that is fine, give the process id: ${namesOf(found)}`,
  );
}

/** Returns the agents that run with a state folder. Throws GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_STATE. */
export async function runningAgents(input: ProgramInput): Promise<readonly RunningAgent[]> {
  const { source } = await readConfigFile(input);
  const { stateDir } = resolveSettings({ stateDir: agentSettings.stateDir }, input.flags, input.environment, source);
  return listRunningAgents(stateDir ?? defaultStateDir(input.environment));
}

function namesOf(agents: readonly RunningAgent[]): string {
  const lines = agents.map(({ pid, tunnels }) => {
    const names = tunnels.map(({ name, domain }) => (name === undefined ? domain : `${name} (${domain})`));
    return `${names.join(' and ')} by process ${pid}`;
  });
  return lines.join(', ');
}

const urlColumn = 1;

function rowsOf(agents: readonly RunningAgent[], now: number): string[][] {
  const rows = agents.flatMap(({ pid, mode, startedAt, tunnels }) =>
    tunnels.map(({ name, url, target }) => [
      name ?? '-',
      url,
      target,
      mode ?? 'reconnecting',
      String(pid),
      ageText(now - Date.parse(startedAt)),
    ]),
  );
  return [['NAME', 'URL', 'TARGET', 'MODE', 'PID', 'AGE'], ...rows];
}

/** Returns a time as people say it, in its largest unit. Pure. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const found = units.find(([, size]) => size <= seconds);
  return found === undefined ? `${seconds}s` : `${Math.floor(seconds / found[1])}${found[0]}`;
}
