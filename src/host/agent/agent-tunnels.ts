/** Decides which tunnels an agent opens, from TARGET, flags and the configuration file. */
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { AgentTunnel, HostHeader } from '../../agent/agent-options.ts';
import { editDistance, nearestFirst } from '../../config/nearest.ts';
import type { FileTunnel } from '../../config/sections/tunnels.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { healthCheckOf, tunnelPolicyOf } from '../settings/policy-settings.ts';
import type { AgentConfig } from '../settings/program-config.ts';
import { tunnelTarget } from './agent-target.ts';
import type { OriginTlsSettings } from './origin-tls.ts';

/** The commands below `giraffe tunnel`, which a word without port, dot and slash may have been meant to be. */
const commands = ['list', 'stop'] as const;
/** Edits above which a word is no mistyped command. */
const maxEdits = 2;

/** A tunnel and its name in the configuration file; undefined for the one of the command line. */
export interface NamedTunnel {
  readonly name: string | undefined;
  readonly tunnel: AgentTunnel;
  /** How its https origins are to be verified. */
  readonly origin: OriginTlsSettings;
}

/**
 * Returns the tunnels to open: that of TARGET or --port; or the one of the file that TARGET names; or, without both, all
 * of the file.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE when there is none, or what was given does not fit together.
 */
export function agentTunnels(argument: string | undefined, { settings, file }: AgentConfig): NamedTunnel[] {
  const { domain, port } = settings;
  const named = Object.entries(file.config.tunnels);
  const chosen = port === undefined ? named.filter(([name]) => argument === undefined || name === argument) : [];
  if (chosen.length === 0) {
    const target = oneTarget(argument, port, named);
    return [{ name: undefined, tunnel: { domain, target }, origin: settings }];
  }
  if (domain !== undefined && chosen.length > 1) {
    throw new GiraffeError(
      'GIR_ERR_USAGE',
      `--domain is for one tunnel, and ${file.path} has ${chosen.length}: name one of ${chosen.map(([name]) => name).join(', ')}`,
    );
  }
  return chosen.map(([name, tunnel]) => ({
    name,
    tunnel: fileTunnel(tunnel, domain),
    origin: originOf(tunnel, settings, file.path),
  }));
}

function oneTarget(
  argument: string | undefined,
  port: number | undefined,
  named: readonly (readonly [string, unknown])[],
) {
  try {
    return tunnelTarget(argument, port);
  } catch (error) {
    if (commands.some((command) => command === argument)) {
      const detail = `${argument} is a command, and comes before the flags: giraffe tunnel ${argument} …`;
      throw new GiraffeError('GIR_ERR_USAGE', detail);
    }
    if (argument === undefined) throw error;
    const names = named.map(([name]) => name).join(', ');
    const others = names === '' ? '' : `, or a tunnel of the configuration file: ${names}`;
    const command = meantCommand(argument);
    const hint = command === undefined ? '' : `; the nearest command is giraffe tunnel ${command}`;
    const { code, message } = GiraffeError.from(error);
    throw new GiraffeError(code, `${message}${others}${hint}`);
  }
}

/** Returns the command that was meant by a word that is no target; undefined when it is like none. */
function meantCommand(word: string): string | undefined {
  const [nearest] = nearestFirst(word, commands);
  const isLike = nearest?.[0] === word[0] && editDistance(word, nearest ?? '') <= maxEdits;
  return isLike ? nearest : undefined;
}

function fileTunnel(file: FileTunnel, domain: string | undefined): AgentTunnel {
  const policy = tunnelPolicyOf(file);
  return {
    domain: domain ?? file.domain,
    target: file.target,
    targets: file.targets,
    hostHeader: file.hostHeader === undefined ? undefined : hostHeaderOf(file.hostHeader),
    policy: isDeepStrictEqual(policy, {}) ? undefined : policy,
    health: file.health && healthCheckOf(file.health),
  };
}

/** What a tunnel says about trust goes before what holds for all of them; its paths are relative to the file. */
function originOf(file: FileTunnel, settings: OriginTlsSettings, path: string | undefined): OriginTlsSettings {
  const { originCa, originInsecure, originServerName = settings.originServerName } = file;
  if (originCa === undefined && originInsecure === undefined) return { ...settings, originServerName };
  const folder = path === undefined ? '.' : dirname(path);
  return {
    originCa: originCa === undefined ? undefined : resolve(folder, originCa),
    originInsecure: originInsecure ?? false,
    originServerName,
  };
}

/** Reads the value of --host-header, which its setting has checked. */
export function hostHeaderOf(text: string): HostHeader {
  return text === 'preserve' || text === 'rewrite' || text === 'auto' ? text : { value: text };
}
