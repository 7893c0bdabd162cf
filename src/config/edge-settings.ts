/** The settings of `giraffe server start`. */
import { drainTimeout, logSettings, stateDir } from './common-settings.ts';
import { optionalSetting, type SettingValues, setting } from './setting.ts';
import { byteSize, count, duration, hostName, list, plainText, port } from './units.ts';

const kibibyte = 1024;
const mebibyte = 1024 ** 2;
/** A head crosses the tunnel in one frame of at most 1 MiB, with what the edge adds to it. In octets. */
const largestHeaderSize = 960 * kibibyte;

/** Settings of an edge. Names of variables without GIRAFFE_ are those that existing deployments set. */
export const edgeSettings = {
  proxyPort: setting({
    flag: 'proxy-port',
    env: 'PROXY_PORT',
    defaultText: '8081',
    valueName: 'PORT',
    description: 'Port for clients, plain HTTP/1.1; 0 picks a free one.',
    schema: port(0),
  }),
  apiPort: setting({
    flag: 'api-port',
    env: 'API_PORT',
    defaultText: '8080',
    valueName: 'PORT',
    description: 'Port of the management API; 0 picks a free one.',
    schema: port(0),
  }),
  grpcPort: setting({
    flag: 'grpc-port',
    env: 'GRPC_TUNNEL_PORT',
    defaultText: '4444',
    valueName: 'PORT',
    description: 'Port of the gRPC tunnel, HTTP/2 over TLS; 0 picks a free one.',
    schema: port(0),
  }),
  tunnelPort: setting({
    flag: 'tunnel-port',
    env: 'TUNNEL_PORT',
    defaultText: '4443',
    valueName: 'PORT',
    description: 'Port of the TCP tunnel, TLS; 0 picks a free one.',
    schema: port(0),
  }),
  host: optionalSetting({
    flag: 'host',
    env: 'GIRAFFE_HOST',
    valueName: 'ADDRESS',
    description: 'Address that the proxy and both tunnel ports listen on (default all).',
    schema: hostName(),
  }),
  apiHost: setting({
    flag: 'api-host',
    env: 'GIRAFFE_API_HOST',
    defaultText: '127.0.0.1',
    valueName: 'ADDRESS',
    description: 'Address that the management API listens on. It is plain HTTP: keep it on a trusted network.',
    schema: hostName(),
  }),
  baseDomain: setting({
    flag: 'base-domain',
    env: 'GIRAFFE_BASE_DOMAIN',
    defaultText: 'localhost',
    valueName: 'DOMAIN',
    description: 'Domain under which agents without a name of their own get one.',
    schema: hostName(),
  }),
  publicHost: optionalSetting({
    flag: 'public-host',
    env: 'GIRAFFE_PUBLIC_HOST',
    valueName: 'HOST',
    description: 'Name or address by which agents reach this machine, for the certificate and the line to paste.',
    schema: hostName(),
  }),
  stateDir,
  tlsCert: optionalSetting({
    flag: 'tls-cert',
    env: 'GIRAFFE_TLS_CERT',
    valueName: 'FILE',
    description: 'PEM file with the certificate chain for both tunnel ports (default one of our own).',
    schema: plainText('the path of a file'),
  }),
  tlsKey: optionalSetting({
    flag: 'tls-key',
    env: 'GIRAFFE_TLS_KEY',
    valueName: 'FILE',
    description: 'PEM file with the key of --tls-cert.',
    schema: plainText('the path of a file'),
  }),
  drainTimeout,
  requestTimeout: setting({
    flag: 'request-timeout',
    env: 'GRPC_REQUEST_TIMEOUT',
    defaultText: '30s',
    valueName: 'DURATION',
    description: 'Time to the head of a response, then 504; never a limit on a body.',
    schema: duration(1),
  }),
  maxHeaderSize: setting({
    flag: 'max-header-size',
    env: 'GIRAFFE_MAX_HEADER_SIZE',
    defaultText: '64KiB',
    valueName: 'SIZE',
    description: 'Largest header section of a request, then 431.',
    schema: byteSize(kibibyte, largestHeaderSize),
  }),
  maxConnections: setting({
    flag: 'max-connections',
    env: 'GIRAFFE_MAX_CONNECTIONS',
    defaultText: '20000',
    valueName: 'COUNT',
    description: 'Connections of clients at once, then 503.',
    schema: count(1, 1_000_000),
  }),
  reconnectGrace: setting({
    flag: 'reconnect-grace',
    env: 'GIRAFFE_RECONNECT_GRACE',
    defaultText: '2s',
    valueName: 'DURATION',
    description: 'How long a request waits for an agent that is away, then 503; 0 does not wait.',
    schema: duration(0),
  }),
  maxStreams: setting({
    flag: 'max-streams',
    env: 'GRPC_MAX_CONCURRENT_STREAMS',
    defaultText: '1000',
    valueName: 'COUNT',
    description: 'Requests in flight per agent; one more waits, then 503.',
    schema: count(1, 1_000_000),
  }),
  maxMessageSize: setting({
    flag: 'max-message-size',
    env: 'GRPC_MAX_MESSAGE_SIZE',
    defaultText: '16777216',
    valueName: 'SIZE',
    description: 'Largest gRPC message; bodies of any size still pass.',
    schema: byteSize(mebibyte, 1024 * mebibyte),
  }),
  keepAlive: setting({
    flag: 'keep-alive',
    env: 'GRPC_KEEP_ALIVE_TIME',
    defaultText: '30s',
    valueName: 'DURATION',
    description: 'Time between pings; an agent silent for two of them is dead.',
    schema: duration(100),
  }),
  trustedProxies: setting({
    flag: 'trusted-proxy',
    env: 'GIRAFFE_TRUSTED_PROXIES',
    defaultText: '',
    valueName: 'CIDR',
    multiple: true,
    description: 'Address or network of a proxy in front whose X-Forwarded fields are believed.',
    schema: list(plainText('an address or a network such as 10.0.0.0/8')),
  }),
  ...logSettings,
};

/** Values of {@link edgeSettings}: times in milliseconds, sizes in octets. */
export type EdgeSettings = SettingValues<typeof edgeSettings>;
