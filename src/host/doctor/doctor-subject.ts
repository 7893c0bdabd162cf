/**
 * Decides what there is for the doctor to look at: an edge on this machine, an agent's way to an edge, services.
 *
 * A state folder with a CA, or a setting of an edge, means an edge; a server, a target, or tunnels of the configuration
 * file mean an agent. Where only an edge is, the way to it is looked at from here. With neither, could an edge start?
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { agentWaySettings, edgePlaceSettings } from '../../config/doctor-settings.ts';
import { findSetting, type SettingSources, type SettingTable } from '../../config/setting.ts';
import type { DoctorSubject, EdgeSubject, ServiceSubject, TokenSubject, WaySubject } from '../../doctor/subject.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { caCertificateFile, tokensFile } from '../../state/local-files.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import {
  findClientCertificate,
  findToken,
  findTrust,
  isThisMachine,
  type TokenSources,
} from '../agent/agent-credentials.ts';
import { agentTunnels, hostHeaderOf, type NamedTunnel } from '../agent/agent-tunnels.ts';
import { OriginTlsFiles } from '../agent/origin-tls.ts';
import { certificateNames } from '../edge/edge-state.ts';
import { portHolder } from '../network/port-holder.ts';
import { type AgentConfig, type EdgeConfig, type ProgramInput, sourcesOf } from '../settings/program-config.ts';

/** What settings say. */
export interface DoctorConfig {
  readonly edge: EdgeConfig;
  readonly agent: AgentConfig;
}

/** The parts of a subject that depend on settings. */
export type SubjectParts = Pick<DoctorSubject, 'state' | 'edge' | 'way' | 'services'>;

/** Port of the gRPC tunnel where an edge picks any. */
const defaultGrpcPort = 4444;

/**
 * Returns what there is to look at.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE for a target that is none; GIR_ERR_CONFIG or GIR_ERR_CERTIFICATE for files that
 *   settings name and that cannot be used.
 */
export async function doctorSubject(
  config: DoctorConfig,
  input: ProgramInput,
  target: string | undefined,
  readStdin: TokenSources['readStdin'],
): Promise<SubjectParts> {
  const { settings, file } = config.agent;
  const sources = sourcesOf(input, file);
  const stateDir = settings.stateDir ?? config.edge.settings.stateDir ?? defaultStateDir(input.environment);
  const hasCa = existsSync(join(stateDir, caCertificateFile));
  const isServerSet = findSetting(agentWaySettings.server, sources).source !== 'default';
  const isElsewhere = isServerSet && !isThisMachine(settings.server.host);
  const hasEdge = isAnySet(edgePlaceSettings, sources) || (hasCa && !isElsewhere);
  const hasTargets = target !== undefined || settings.port !== undefined || Object.keys(file.config.tunnels).length > 0;
  const hasAgent = hasTargets || isAnySet(agentWaySettings, sources);
  const named = hasTargets ? agentTunnels(target, config.agent) : [];
  const server = isServerSet || !hasEdge ? settings.server : localServer(config.edge);
  const edge = hasEdge || !hasAgent ? edgeSubject(config, stateDir, { hasEdge, isOnlyWay: !hasAgent }) : undefined;
  const way =
    hasEdge || hasAgent ? await waySubject(config.agent, { server, named, stateDir, sources, readStdin }) : undefined;
  return { state: { path: stateDir, isNeeded: hasEdge }, edge, way, services: await services(named, settings) };
}

function isAnySet(table: SettingTable, sources: SettingSources): boolean {
  return Object.values(table).some((setting) => findSetting(setting, sources).source !== 'default');
}

/** How the edge on this machine is called from this machine. */
function localServer({ settings }: EdgeConfig): AgentConfig['settings']['server'] {
  const { host, tlsCert, publicHost, baseDomain, grpcPort } = settings;
  // A certificate of the operator's is for the public name.
  const name = tlsCert === undefined ? (host ?? 'localhost') : (publicHost ?? baseDomain);
  const isAny = name === '0.0.0.0' || name === '::';
  return { host: isAny ? 'localhost' : name, port: grpcPort === 0 ? defaultGrpcPort : grpcPort };
}

function edgeSubject(
  { edge: { settings }, agent }: DoctorConfig,
  stateDir: string,
  { hasEdge, isOnlyWay }: { readonly hasEdge: boolean; readonly isOnlyWay: boolean },
): EdgeSubject {
  const { proxyPort, apiPort, grpcPort, tunnelPort, host, apiHost, tlsCert, tlsKey, publicHost, baseDomain } = settings;
  const { host: called } = agent.settings.server;
  const names = [
    publicHost ?? (tlsCert === undefined ? 'localhost' : baseDomain),
    isThisMachine(called) ? called : undefined,
  ];
  return {
    exists: hasEdge,
    stateDir,
    ports: { proxy: proxyPort, api: apiPort, grpc: grpcPort, tunnel: tunnelPort },
    host,
    apiHost,
    tls: tlsCert === undefined ? undefined : { cert: tlsCert, key: tlsKey ?? tlsCert },
    // A certificate of the operator's need not be for localhost.
    calledBy: [
      ...new Set(names.filter((name) => name !== undefined && (name !== 'localhost' || tlsCert === undefined))),
    ] as string[],
    names: certificateNames(settings),
    isOnlyWay,
    findHolder: portHolder,
  };
}

interface WayParts {
  readonly server: AgentConfig['settings']['server'];
  readonly named: readonly NamedTunnel[];
  readonly stateDir: string;
  readonly sources: SettingSources;
  readonly readStdin: TokenSources['readStdin'];
}

async function waySubject({ settings }: AgentConfig, parts: WayParts): Promise<WaySubject> {
  const { server, named, stateDir } = parts;
  const { tunnelPort, transport, domain } = settings;
  const wanted = named.length > 0 ? named.map(({ tunnel }) => tunnel.domain) : domain === undefined ? [] : [domain];
  return {
    server: { host: server.host, grpcPort: server.port, tunnelPort },
    transport,
    trust: await findTrust({ ...settings, server }, stateDir),
    clientCertificate: await findClientCertificate(settings),
    token: await tokenSubject(settings, parts),
    domains: wanted,
  };
}

async function tokenSubject(settings: AgentConfig['settings'], parts: WayParts): Promise<TokenSubject> {
  const { stateDir, server, sources, readStdin } = parts;
  const place = settings.token === undefined ? agentWaySettings.tokenFile : agentWaySettings.token;
  const { source, name } = findSetting(place, sources);
  const isLeftByEdge = source === 'default';
  const isLocal = isThisMachine(server.host) && existsSync(join(stateDir, tokensFile));
  const common = { isLeftByEdge, stateDir: isLocal ? stateDir : undefined };
  try {
    const value = await findToken(settings, { stateDir, readStdin });
    return { ...common, value, source: isLeftByEdge ? 'the one in the state folder' : `that of ${name}` };
  } catch (error) {
    return { ...common, value: undefined, source: GiraffeError.from(error).message };
  }
}

async function services(named: readonly NamedTunnel[], settings: AgentConfig['settings']): Promise<ServiceSubject[]> {
  const files = new OriginTlsFiles();
  return Promise.all(
    named.map(async ({ name, tunnel, origin }) => ({
      name,
      target: tunnel.target,
      domain: tunnel.domain,
      hostHeader: tunnel.hostHeader ?? hostHeaderOf(settings.hostHeader),
      originTls: await files.find(origin),
    })),
  );
}
