/** The settings of `giraffe tunnel`. Their places in the configuration file are in sections/agent.ts. */
import { configFile, drainTimeout, logSettings, stateDir } from './common-settings.ts';
import type { Environment } from './env.ts';
import { inspectSettings } from './inspect-settings.ts';
import { scriptSettings } from './script-settings.ts';
import {
  exclusive,
  type FileSource,
  type FlagValues,
  findSetting,
  optionalSetting,
  placedApart,
  resolveSettings,
  type SettingSource,
  type SettingValues,
  setting,
} from './setting.ts';
import {
  agentLabel,
  authorityOr,
  count,
  endpointHost,
  hostName,
  list,
  oneOf,
  plainText,
  port,
  secretText,
  serverAddress,
  yesOrNo,
} from './units.ts';

/** Settings that belong to one call: none of them has a place in the configuration file. */
export const callSettings = {
  domain: optionalSetting({
    flag: 'domain',
    env: 'GIRAFFE_DOMAIN',
    valueName: 'DOMAIN',
    description: 'Host name of the endpoint (default a memorable name under the base domain of the edge).',
    schema: endpointHost(),
  }),
  port: optionalSetting({
    flag: 'port',
    valueName: 'PORT',
    description: 'Port of the service on this machine: the same as TARGET with a port alone.',
    schema: port(1),
  }),
  ...scriptSettings,
};

/** Settings of an agent. */
export const agentSettings = {
  configFile,
  ...callSettings,
  server: setting({
    flag: 'server',
    env: 'GIRAFFE_SERVER',
    defaultText: 'localhost:4444',
    valueName: 'HOST[:PORT]',
    description: 'The edge, with the port of its gRPC tunnel (default port 4444).',
    reload: 'live',
    schema: serverAddress(4444),
  }),
  tunnelPort: optionalSetting({
    flag: 'tunnel-port',
    env: 'TUNNEL_PORT',
    valueName: 'PORT',
    description:
      "Port of the edge's TCP tunnel, where another one than the edge's own leads there (default what the edge tells over gRPC, else 4443).",
    reload: 'live',
    schema: port(1),
  }),
  token: optionalSetting({
    flag: 'token',
    env: 'GIRAFFE_TOKEN',
    valueName: 'TOKEN',
    secret: true,
    description:
      'Token that the edge printed; - reads it from stdin. Others on this machine can see it in the process list.',
    reload: 'live',
    schema: secretText('a token such as grf_…'),
  }),
  tokenFile: optionalSetting({
    flag: 'token-file',
    env: 'GIRAFFE_TOKEN_FILE',
    valueName: 'FILE',
    description: 'File that holds the token.',
    isPath: true,
    reload: 'live',
    schema: plainText('the path of a file'),
  }),
  stateDir: placedApart(stateDir),
  ca: optionalSetting({
    flag: 'ca',
    env: 'GIRAFFE_CA',
    valueName: 'FILE|PIN',
    description: "The edge's CA: a PEM file, or the sha256:… that the edge printed.",
    isPath: true,
    reload: 'live',
    schema: plainText('the path of a PEM file or sha256: and 64 hex digits'),
  }),
  clientCert: optionalSetting({
    flag: 'client-cert',
    env: 'GIRAFFE_CLIENT_CERT',
    valueName: 'FILE',
    description: 'PEM file with a certificate that the agent shows to the edge, for the auth provider mtls.',
    isPath: true,
    reload: 'live',
    schema: plainText('the path of a PEM file'),
  }),
  clientKey: optionalSetting({
    flag: 'client-key',
    env: 'GIRAFFE_CLIENT_KEY',
    valueName: 'FILE',
    description: 'PEM file with the key of --client-cert.',
    isPath: true,
    reload: 'live',
    schema: plainText('the path of a PEM file'),
  }),
  insecure: setting({
    flag: 'insecure',
    env: 'GIRAFFE_INSECURE',
    defaultText: 'false',
    valueName: undefined,
    description: "Do not verify the edge's certificate: anybody in between can read and change everything.",
    reload: 'live',
    schema: yesOrNo(),
  }),
  transport: setting({
    flag: 'transport',
    env: 'GIRAFFE_TRANSPORT',
    defaultText: 'auto',
    valueName: 'TRANSPORT',
    description: 'Tunnels to use: auto, grpc or tcp.',
    reload: 'live',
    schema: oneOf(['auto', 'grpc', 'tcp']),
  }),
  hostHeader: setting({
    flag: 'host-header',
    env: 'GIRAFFE_HOST_HEADER',
    defaultText: 'preserve',
    valueName: 'HOST',
    description:
      "Host that the service sees: preserve (the client's), rewrite (its own), auto (its own if it refuses the client's), " +
      'or one of your choice.',
    reload: 'live',
    schema: authorityOr(['preserve', 'rewrite', 'auto']),
  }),
  originCa: optionalSetting({
    flag: 'origin-ca',
    env: 'GIRAFFE_ORIGIN_CA',
    valueName: 'FILE',
    description:
      "PEM file with the CA of an https target, or with its own certificate if it is self-signed (default the system's CAs).",
    isPath: true,
    reload: 'live',
    schema: plainText('the path of a PEM file'),
  }),
  originServerName: optionalSetting({
    flag: 'origin-server-name',
    env: 'GIRAFFE_ORIGIN_SERVER_NAME',
    valueName: 'NAME',
    description: 'Name that the certificate of an https target is for (default the host of the target).',
    reload: 'live',
    schema: hostName(),
  }),
  originInsecure: setting({
    flag: 'origin-insecure',
    env: 'GIRAFFE_ORIGIN_INSECURE',
    defaultText: 'false',
    valueName: undefined,
    description: 'Do not verify the certificate of an https target: whoever answers at its address is believed.',
    reload: 'live',
    schema: yesOrNo(),
  }),
  labels: setting({
    flag: 'label',
    env: 'GIRAFFE_LABELS',
    defaultText: '',
    valueName: 'LABEL',
    multiple: true,
    description: 'What routing rules of the edge can choose this agent by, such as region=eu; up to 20.',
    reload: 'live',
    schema: list(agentLabel(), 20),
  }),
  weight: setting({
    flag: 'weight',
    env: 'GIRAFFE_WEIGHT',
    defaultText: '1',
    valueName: 'COUNT',
    description: 'Share of the traffic beside other agents of the endpoint, from 1 to 1000; for the strategy weighted.',
    reload: 'live',
    schema: count(1, 1000),
  }),
  ...inspectSettings,
  drainTimeout: placedApart(drainTimeout),
  ...logSettings,
  logLevel: { ...logSettings.logLevel, defaultText: 'warn' },
};

/** Values of {@link agentSettings}: times in milliseconds. */
export type AgentSettings = SettingValues<typeof agentSettings>;

/**
 * Returns the values of an agent's settings. A token, in itself or in a file, of a flag goes before one of the
 * environment, and that before one of the configuration file.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE or GIR_ERR_CONFIG.
 */
export function resolveAgentSettings(flags: FlagValues, env: Environment, file?: FileSource): AgentSettings {
  const settings = resolveSettings(agentSettings, flags, env, file);
  const sources = { flags, env, file };
  const token = ranks[findSetting(agentSettings.token, sources).source];
  const tokenFile = ranks[findSetting(agentSettings.tokenFile, sources).source];
  if (token === tokenFile) {
    if (token === ranks.flag) throw exclusive('--token', '--token-file');
    return settings;
  }
  return token < tokenFile ? { ...settings, tokenFile: undefined } : { ...settings, token: undefined };
}

/** Which source goes before which. */
const ranks: Readonly<Record<SettingSource, number>> = { flag: 0, environment: 1, file: 2, default: 3 };
