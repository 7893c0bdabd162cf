/** Decides which tunnels an agent opens, from TARGET, flags and the configuration file. */
import { isDeepStrictEqual } from 'node:util';
import type { AgentTunnel, HostHeader } from '../agent/agent-options.ts';
import type { FileTunnel } from '../config/sections/tunnels.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { tunnelTarget } from './agent-target.ts';
import { healthCheckOf, tunnelPolicyOf } from './policy-settings.ts';
import type { AgentConfig } from './program-config.ts';

/** A tunnel and its name in the configuration file; undefined for the one of the command line. */
export interface NamedTunnel {
  readonly name: string | undefined;
  readonly tunnel: AgentTunnel;
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
  if (chosen.length === 0) return [{ name: undefined, tunnel: { domain, target: oneTarget(argument, port, named) } }];
  if (domain !== undefined && chosen.length > 1) {
    throw new GiraffeError(
      'GIR_ERR_USAGE',
      `--domain is for one tunnel, and ${file.path} has ${chosen.length}: name one of ${chosen.map(([name]) => name).join(', ')}`,
    );
  }
  return chosen.map(([name, tunnel]) => ({ name, tunnel: fileTunnel(tunnel, domain) }));
}

function oneTarget(
  argument: string | undefined,
  port: number | undefined,
  named: readonly (readonly [string, unknown])[],
) {
  try {
    return tunnelTarget(argument, port);
  } catch (error) {
    if (named.length === 0 || argument === undefined) throw error;
    const names = named.map(([name]) => name).join(', ');
    const { code, message } = GiraffeError.from(error);
    throw new GiraffeError(code, `${message}, or a tunnel of the configuration file: ${names}`);
  }
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

/** Reads the value of --host-header, which its setting has checked. */
export function hostHeaderOf(text: string): HostHeader {
  return text === 'preserve' || text === 'rewrite' ? text : { value: text };
}
