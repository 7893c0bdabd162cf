/** The settings of `giraffe doctor`: those of edge and agent that decide what there is to look at. */
import { agentSettings } from './agent-settings.ts';
import { edgeSettings } from './edge-settings.ts';
import type { SettingTable } from './setting.ts';

const { configFile, stateDir, logFile } = agentSettings;

/** What says where an edge is, and what it is called. Any of them set means that an edge is, or shall be, here. */
export const edgePlaceSettings = {
  proxyPort: edgeSettings.proxyPort,
  apiPort: edgeSettings.apiPort,
  grpcPort: edgeSettings.grpcPort,
  host: edgeSettings.host,
  apiHost: edgeSettings.apiHost,
  baseDomain: edgeSettings.baseDomain,
  publicHost: edgeSettings.publicHost,
  tlsCert: edgeSettings.tlsCert,
  tlsKey: edgeSettings.tlsKey,
};

/** What says where an agent goes, and as whom. Any of them set means that an agent is, or shall be, here. */
export const agentWaySettings = {
  server: agentSettings.server,
  domain: agentSettings.domain,
  port: agentSettings.port,
  token: agentSettings.token,
  tokenFile: agentSettings.tokenFile,
  ca: agentSettings.ca,
  insecure: agentSettings.insecure,
  transport: agentSettings.transport,
  clientCert: agentSettings.clientCert,
  clientKey: agentSettings.clientKey,
};

/** All of them, by the name the program uses. */
export const doctorSettings: SettingTable = {
  configFile,
  stateDir,
  ...agentWaySettings,
  tunnelPort: agentSettings.tunnelPort,
  hostHeader: agentSettings.hostHeader,
  originCa: agentSettings.originCa,
  originServerName: agentSettings.originServerName,
  originInsecure: agentSettings.originInsecure,
  ...edgePlaceSettings,
  logFile,
};
