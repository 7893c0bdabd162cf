/** The settings of `giraffe tunnel`. */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { drainTimeout, logSettings, stateDir } from './common-settings.ts';
import type { Environment } from './env.ts';
import { type FlagValues, optionalSetting, resolveSettings, type SettingValues, setting } from './setting.ts';
import { authorityOr, duration, hostName, oneOf, plainText, port, serverAddress, yesOrNo } from './units.ts';

/** Settings of an agent. */
export const agentSettings = {
  domain: optionalSetting({
    flag: 'domain',
    env: 'GIRAFFE_DOMAIN',
    valueName: 'DOMAIN',
    description: 'Host name of the endpoint (default a memorable name under the base domain of the edge).',
    schema: hostName(),
  }),
  port: optionalSetting({
    flag: 'port',
    valueName: 'PORT',
    description: 'Port of the service on this machine: the same as TARGET with a port alone.',
    schema: port(1),
  }),
  server: setting({
    flag: 'server',
    env: 'GIRAFFE_SERVER',
    defaultText: 'localhost:4444',
    valueName: 'HOST[:PORT]',
    description: 'The edge, with the port of its gRPC tunnel (default port 4444).',
    schema: serverAddress(4444),
  }),
  tunnelPort: setting({
    flag: 'tunnel-port',
    env: 'TUNNEL_PORT',
    defaultText: '4443',
    valueName: 'PORT',
    description: "The edge's port of the TCP tunnel, for when gRPC cannot be asked for it.",
    schema: port(1),
  }),
  token: optionalSetting({
    flag: 'token',
    env: 'GIRAFFE_TOKEN',
    valueName: 'TOKEN',
    secret: true,
    description:
      'Token that the edge printed; - reads it from stdin. Others on this machine can see it in the process list.',
    schema: plainText('a token such as grf_…'),
  }),
  tokenFile: optionalSetting({
    flag: 'token-file',
    env: 'GIRAFFE_TOKEN_FILE',
    valueName: 'FILE',
    description: 'File that holds the token.',
    schema: plainText('the path of a file'),
  }),
  stateDir,
  ca: optionalSetting({
    flag: 'ca',
    env: 'GIRAFFE_CA',
    valueName: 'FILE|PIN',
    description: "The edge's CA: a PEM file, or the sha256:… that the edge printed.",
    schema: plainText('the path of a PEM file or sha256: and 64 hex digits'),
  }),
  insecure: setting({
    flag: 'insecure',
    env: 'GIRAFFE_INSECURE',
    defaultText: 'false',
    valueName: undefined,
    description: "Do not verify the edge's certificate: anybody in between can read and change everything.",
    schema: yesOrNo(),
  }),
  transport: setting({
    flag: 'transport',
    env: 'GIRAFFE_TRANSPORT',
    defaultText: 'auto',
    valueName: 'TRANSPORT',
    description: 'Tunnels to use: auto, grpc or tcp.',
    schema: oneOf(['auto', 'grpc', 'tcp']),
  }),
  hostHeader: setting({
    flag: 'host-header',
    env: 'GIRAFFE_HOST_HEADER',
    defaultText: 'preserve',
    valueName: 'preserve|rewrite|VALUE',
    description: "Host that the service sees: the client's, the target's own, or a fixed one.",
    schema: authorityOr(['preserve', 'rewrite']),
  }),
  timeout: optionalSetting({
    flag: 'timeout',
    env: 'GIRAFFE_TIMEOUT',
    valueName: 'DURATION',
    description: 'Time to become ready, then exit 6 (default no limit).',
    schema: duration(1),
  }),
  drainTimeout,
  ...logSettings,
  logLevel: { ...logSettings.logLevel, defaultText: 'warn' },
};

/** Values of {@link agentSettings}: times in milliseconds. */
export type AgentSettings = SettingValues<typeof agentSettings>;

/**
 * Returns the values of an agent's settings. A token of a flag, in itself or in a file, goes before any of the environment.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE or GIR_ERR_CONFIG.
 */
export function resolveAgentSettings(flags: FlagValues, env: Environment): AgentSettings {
  const settings = resolveSettings(agentSettings, flags, env);
  const { token, tokenFile } = agentSettings;
  if (flags[tokenFile.flag] === undefined) return settings;
  if (flags[token.flag] === undefined) return { ...settings, token: undefined };
  throw new GiraffeError('GIR_ERR_USAGE', '--token and --token-file are both given; give one of them');
}
