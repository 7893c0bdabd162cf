/** Makes the options of an agent from its configuration: reads token and certificates, once at the start and at each reload. */
import type { AgentOptions, AgentTunnel } from '../../agent/agent-options.ts';
import type { AgentFigures } from '../../agent/figures.ts';
import type { Environment } from '../../config/env.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { Inspector } from '../../inspector/inspector.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AgentConfig } from '../settings/program-config.ts';
import { findClientCertificate, findToken, findTrust } from './agent-credentials.ts';
import { agentTunnels, hostHeaderOf, type NamedTunnel } from './agent-tunnels.ts';
import { OriginTlsFiles } from './origin-tls.ts';

/** What is the same for the life of the process. */
export interface AgentSurroundings {
  /** TARGET as it was given. */
  readonly target: string | undefined;
  readonly environment: Environment;
  readonly logger: Logger;
  readonly figures: AgentFigures;
  /** As {@link AgentOptions.logsFailures}. */
  readonly logsFailures?: boolean | undefined;
  /** Default nothing is recorded. */
  readonly inspector?: Inspector | undefined;
  /** Reads stdin to its end, the first time; returns the same text again afterwards. */
  readStdin(): Promise<string>;
}

/**
 * Returns the options of an agent.
 *
 * @param chosenNames Hosts that the edge has chosen, by the tunnel's name in the file.
 * @throws {GiraffeError} GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_CERTIFICATE, GIR_ERR_STATE.
 */
export async function agentOptionsOf(
  config: AgentConfig,
  { target, environment, logger, logsFailures, figures, inspector, readStdin }: AgentSurroundings,
  chosenNames: ReadonlyMap<string | undefined, string> = new Map(),
): Promise<AgentOptions> {
  const { settings } = config;
  const { server, tunnelPort, transport } = settings;
  const stateDir = settings.stateDir ?? defaultStateDir(environment);
  const named = agentTunnels(target, config);
  const files = new OriginTlsFiles();
  const [first, ...rest] = await Promise.all(
    named.map(async (one) => ({ ...namedTunnel(one, chosenNames), originTls: await files.find(one.origin) })),
  );
  if (first === undefined) throw new GiraffeError('GIR_ERR_CONFIG', 'there is no tunnel to open');
  return {
    tunnels: [first, ...rest],
    server: { host: server.host, grpcPort: server.port, tunnelPort },
    token: await findToken(settings, { stateDir, readStdin }),
    trust: await findTrust(settings, stateDir),
    clientCertificate: await findClientCertificate(settings),
    transport,
    labels: settings.labels,
    weight: settings.weight,
    hostHeader: hostHeaderOf(settings.hostHeader),
    logger,
    logsFailures,
    figures,
    inspector,
  };
}

function namedTunnel({ name, tunnel }: NamedTunnel, chosen: ReadonlyMap<string | undefined, string>): AgentTunnel {
  const formerName = tunnel.domain === undefined ? chosen.get(name) : undefined;
  return formerName === undefined ? { ...tunnel, name } : { ...tunnel, name, formerName };
}
