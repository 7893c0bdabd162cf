/** The headings under which help lists the flags of commands with many; a flag that is not here stands under FLAGS. */

/** Names of flags by heading, in the order of the headings. */
export type FlagGroups = Readonly<Record<string, readonly string[]>>;

const log: FlagGroups = { log: ['log-file', 'log-format', 'log-level'] };

const agentGroups: FlagGroups = {
  edge: [
    ...['server', 'tunnel-port', 'transport', 'token', 'token-file'],
    ...['ca', 'insecure', 'client-cert', 'client-key'],
  ],
  service: ['host-header', 'origin-ca', 'origin-insecure', 'origin-server-name'],
  inspector: ['inspect-port', 'inspect-body', 'inspect-memory', 'inspect-requests', 'no-inspect'],
  script: ['json', 'detach', 'timeout', 'wait-ready', 'max-lifetime', 'url-file', 'dotenv-file', 'github'],
  ...log,
};

const edgeGroups: FlagGroups = {
  port: ['proxy-port', 'grpc-port', 'tunnel-port', 'api-port', 'redirect-port', 'host', 'api-host'],
  certificate: ['tls-cert', 'tls-key', 'proxy-tls', 'proxy-tls-cert', 'proxy-tls-key'],
  'web server in front': ['public-scheme', 'public-port', 'trusted-proxy', 'grpc-plaintext', 'grpc-plaintext-host'],
  limit: [
    ...['rate-limit', 'rate-limit-burst', 'max-connections', 'max-streams', 'max-header-size', 'max-message-size'],
    ...['header-timeout', 'body-idle-timeout', 'request-timeout', 'idle-connection-timeout', 'reconnect-grace'],
    'keep-alive',
  ],
  ...log,
};

/** Groups by the id of the command. */
export const flagGroups: Readonly<Record<string, FlagGroups>> = { tunnel: agentGroups, 'server:start': edgeGroups };
