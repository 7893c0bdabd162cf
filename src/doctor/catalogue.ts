/**
 * The one table of the doctor's checks: what each looks at, why it matters, what to do when it fails, and which checks
 * make it meaningless when they fail themselves.
 *
 * The report, `giraffe explain` and the reference page all say what stands here. In the order of the report.
 */

/** Heading under which checks stand. */
export type CheckGroup =
  | 'This machine'
  | 'The edge on this machine'
  | 'The way to the edge'
  | 'The service'
  | 'Through the tunnel';

/** What one check is. */
export interface CheckEntry {
  readonly group: CheckGroup;
  /** At most 20 characters: a column of the report. */
  readonly title: string;
  /** One sentence: what is looked at. */
  readonly looksAt: string;
  /** One sentence: why it matters. */
  readonly why: string;
  /** The next step, when what was seen asks for no other one. */
  readonly next: string;
  /** Checks that have to go well first. */
  readonly needs: readonly string[];
  /** Checks of which one has to go well first; empty asks for none. */
  readonly needsOneOf: readonly string[];
  /** Checks whose end is waited for, however they go. */
  readonly after: readonly string[];
}

type Description = Pick<CheckEntry, 'title' | 'looksAt' | 'why' | 'next'> &
  Partial<Pick<CheckEntry, 'needs' | 'needsOneOf' | 'after'>>;

function entry(group: CheckGroup, description: Description): CheckEntry {
  return { group, needs: [], needsOneOf: [], after: [], ...description };
}

const portNeeds = ['configuration'];
const certificateNeeds = ['certificate-files'];

/** Every check, in the order of the report. */
export const checks = {
  node: entry('This machine', {
    title: 'Node.js',
    looksAt: 'The version of Node.js that runs giraffe.',
    why: 'Older versions lack what giraffe is built on, and versions past their end of life get no security fixes.',
    next: 'Install Node.js 24, or 20.19 at the least.',
  }),
  configuration: entry('This machine', {
    title: 'Configuration',
    looksAt: 'The configuration file and the environment variables, as an edge and an agent would read them.',
    why: 'Neither an edge nor an agent starts with a setting that is not valid.',
    next: 'Set right what is listed; `giraffe config validate` checks it again.',
  }),
  extensions: entry('This machine', {
    title: 'Extensions',
    looksAt: 'The plugins that the configuration names, the extensions it picks, and their options.',
    why: 'An edge does not start when a plugin fails to load or an extension refuses its options.',
    next: 'Repair or uninstall the plugin that is named; `giraffe extensions` lists what there is.',
    needs: ['configuration'],
  }),
  'state-folder': entry('This machine', {
    title: 'State folder',
    looksAt: 'The state folder: whether it is there, whose it is, and that nobody else can read what is in it.',
    why: 'It holds keys and tokens: who can read them can pretend to be your edge or use your tunnels.',
    next: 'Run `giraffe doctor --fix`: it makes the folder 0700 and its files 0600.',
    needs: ['configuration'],
  }),
  'port-proxy': entry('The edge on this machine', {
    title: 'Proxy port',
    looksAt: 'Whether the port for clients (8081) is free, held by this edge, or held by another program.',
    why: 'An edge does not start while another program holds one of its ports.',
    next: 'Stop the program that holds the port, or pick another one with --proxy-port or PROXY_PORT.',
    needs: portNeeds,
    after: ['port-grpc'],
  }),
  'port-api': entry('The edge on this machine', {
    title: 'API port',
    looksAt: 'Whether the port of the management API (8080) is free, held by this edge, or held by another program.',
    why: 'An edge does not start while another program holds one of its ports.',
    next: 'Stop the program that holds the port, or pick another one with --api-port or API_PORT.',
    needs: portNeeds,
    after: ['port-grpc'],
  }),
  'port-grpc': entry('The edge on this machine', {
    title: 'gRPC tunnel port',
    looksAt: 'Whether the port of the gRPC tunnel (4444) is free, held by this edge, or held by another program.',
    why: 'An edge does not start while another program holds one of its ports.',
    next: 'Stop the program that holds the port, or pick another one with --grpc-port or GRPC_TUNNEL_PORT.',
    needs: portNeeds,
  }),
  'port-tunnel': entry('The edge on this machine', {
    title: 'TCP tunnel port',
    looksAt: 'Whether the port of the TCP tunnel (4443) is free, held by this edge, or held by another program.',
    why: 'An edge does not start while another program holds one of its ports.',
    next: 'Stop the program that holds the port, or pick another one with --tunnel-port or TUNNEL_PORT.',
    needs: portNeeds,
  }),
  edge: entry('The edge on this machine', {
    title: 'Edge',
    looksAt: 'Whether an edge with this state folder runs on its ports.',
    why: 'Without it no agent can connect and every client gets nothing.',
    next: 'Start it: `giraffe server start`.',
    needs: ['port-grpc'],
  }),
  'certificate-files': entry('The edge on this machine', {
    title: 'Certificate files',
    looksAt: 'Whether the certificate and the key of the edge are there and can be read.',
    why: 'Both tunnel ports speak TLS; without a certificate and its key the edge cannot.',
    next: 'Check the paths of --tls-cert and --tls-key; without them `giraffe server start` makes a certificate.',
    needs: ['state-folder'],
  }),
  'certificate-key': entry('The edge on this machine', {
    title: 'Certificate key',
    looksAt: 'Whether the private key belongs to the certificate.',
    why: 'With the key of another certificate no TLS handshake succeeds.',
    next: 'Pass the key that the certificate was issued for.',
    needs: certificateNeeds,
  }),
  'certificate-chain': entry('The edge on this machine', {
    title: 'Certificate chain',
    looksAt: 'Whether each certificate of the chain is signed by the next one.',
    why: 'An agent trusts the certificate only if the chain leads to a CA that it knows.',
    next: 'Put the certificate first and its intermediate certificates behind it into one file.',
    needs: certificateNeeds,
  }),
  'certificate-dates': entry('The edge on this machine', {
    title: 'Certificate dates',
    looksAt: 'Whether the certificate is valid today, and for how many days it still is.',
    why: 'Agents refuse an edge whose certificate has expired.',
    next: 'Renew the certificate, then send the edge SIGHUP.',
    needs: certificateNeeds,
  }),
  'certificate-names': entry('The edge on this machine', {
    title: 'Certificate names',
    looksAt: 'Whether the certificate is for the name by which agents call the edge.',
    why: 'Agents refuse a certificate that is for another name.',
    next: 'Start the edge with --public-host NAME, or have a certificate issued for that name.',
    needs: certificateNeeds,
  }),
  token: entry('The way to the edge', {
    title: 'Token',
    looksAt: 'Whether there is a token and it has the right form; beside an edge also whether that edge knows it.',
    why: 'The edge lets nobody in without a token that it knows.',
    next: 'Set GIRAFFE_TOKEN or --token-file to a token of the edge; `giraffe token create` there makes one.',
    needs: ['state-folder'],
  }),
  dns: entry('The way to the edge', {
    title: 'DNS',
    looksAt: 'Whether the host name of --server can be resolved, and to which addresses.',
    why: 'Without an address nothing can be connected to.',
    next: 'Check the spelling of --server, and the DNS record of that name.',
    needs: ['configuration'],
  }),
  'reach-grpc': entry('The way to the edge', {
    title: 'gRPC port reach',
    looksAt: "Whether the edge's gRPC port accepts a TCP connection from here.",
    why: 'HTTP requests travel over it; without it everything falls back to the TCP tunnel.',
    next: 'Check that the edge runs, the port of --server, and that no firewall closes it.',
    needs: ['dns', 'edge'],
  }),
  'tls-grpc': entry('The way to the edge', {
    title: 'gRPC port TLS',
    looksAt: 'Whether TLS works on the gRPC port and the certificate is trusted: chain or pin, name, dates.',
    why: 'The agent talks only to an edge whose certificate it can verify.',
    next: "Pass the edge's CA with --ca: a file, or the sha256:… that the edge printed.",
    needs: ['reach-grpc'],
  }),
  alpn: entry('The way to the edge', {
    title: 'HTTP/2 (ALPN)',
    looksAt: 'Whether the gRPC port agrees to speak HTTP/2.',
    why: 'Calls of gRPC are HTTP/2: a proxy in between that speaks only HTTP/1.1 breaks it.',
    next: 'Let whatever stands between agent and edge pass TLS through unopened, or use --transport tcp.',
    needs: ['tls-grpc'],
  }),
  'grpc-health': entry('The way to the edge', {
    title: 'gRPC health',
    looksAt: 'What the edge answers to a gRPC health check (tunnel.TunnelService/HealthCheck).',
    why: 'It says whether the edge takes new agents.',
    next: 'Wait until the edge has restarted: it is shutting down. If it persists, look at its log.',
    needs: ['alpn'],
  }),
  clock: entry('The way to the edge', {
    title: 'Clock',
    looksAt: "This machine's clock against the Date that the edge sends.",
    why: 'Certificates and tokens are valid by the clock: a wrong one makes good ones look expired.',
    next: 'Set the clock that is wrong, best by NTP (`timedatectl set-ntp true` on Linux).',
    needs: ['grpc-health'],
  }),
  'handshake-grpc': entry('The way to the edge', {
    title: 'gRPC handshake',
    looksAt: 'Whether the edge takes the token over gRPC, and allows the endpoints that were asked for.',
    why: 'Only then does a tunnel come up.',
    next: 'Pass a token that the edge knows; `giraffe token create` there makes one.',
    needs: ['grpc-health', 'token'],
  }),
  'reach-tunnel': entry('The way to the edge', {
    title: 'TCP port reach',
    looksAt: "Whether the edge's TCP tunnel port accepts a TCP connection from here.",
    why: 'WebSockets travel over it, and everything else when gRPC cannot get through.',
    next: 'Check that the edge runs, --tunnel-port, and that no firewall closes it.',
    needs: ['dns', 'edge'],
    after: ['handshake-grpc'],
  }),
  'tls-tunnel': entry('The way to the edge', {
    title: 'TCP port TLS',
    looksAt: 'Whether TLS works on the TCP tunnel port and the certificate is trusted: chain or pin, name, dates.',
    why: 'The agent talks only to an edge whose certificate it can verify.',
    next: "Pass the edge's CA with --ca: a file, or the sha256:… that the edge printed.",
    needs: ['reach-tunnel'],
  }),
  'handshake-tunnel': entry('The way to the edge', {
    title: 'TCP handshake',
    looksAt: 'Whether the edge takes the token over the TCP tunnel, and allows the endpoints that were asked for.',
    why: 'Only then do WebSockets pass, and everything else when gRPC cannot get through.',
    next: 'Pass a token that the edge knows; `giraffe token create` there makes one.',
    needs: ['tls-tunnel', 'token'],
  }),
  origin: entry('The service', {
    title: 'Service',
    looksAt: 'Whether the target of each tunnel accepts a connection.',
    why: 'Without the service every client gets an error page.',
    next: 'Start the service, and check that it listens on the port given as TARGET.',
    needs: ['configuration'],
  }),
  'origin-http': entry('The service', {
    title: 'Service HTTP',
    looksAt: 'Which version of HTTP the service speaks, and whether it takes the Host that clients will send.',
    why: 'Clients see whatever the service answers; dev servers, for one, refuse a Host that they do not know.',
    next: "Add the host to the service's allowed hosts, or run the agent with --host-header rewrite.",
    needs: ['origin'],
  }),
  'origin-upgrade': entry('The service', {
    title: 'Service WebSocket',
    looksAt: 'What the service answers to a WebSocket request for /.',
    why: 'Hot reload, chats and live pages need it; a service without WebSockets does not.',
    next: 'If the service has WebSockets at /, look at its log for why it refused this one.',
    needs: ['origin-http'],
  }),
  'public-dns': entry('Through the tunnel', {
    title: 'Public name',
    looksAt: 'Whether the name of an endpoint can be resolved, as clients have to.',
    why: 'Clients reach a tunnel by its name alone.',
    next: 'Add a DNS record for the name, or a wildcard record for the base domain, that points at the edge.',
    needsOneOf: ['handshake-grpc', 'handshake-tunnel'],
    after: ['handshake-grpc', 'handshake-tunnel'],
  }),
  'round-trip': entry('Through the tunnel', {
    title: 'Request',
    looksAt: "A request through a short-lived tunnel of the doctor's own: public URL, edge, agent, service and back.",
    why: 'It is what clients do; everything before it is only a part of it.',
    next: 'Check that the proxy port of the edge can be reached from here.',
    needsOneOf: ['handshake-grpc', 'handshake-tunnel'],
    after: ['public-dns'],
  }),
  websocket: entry('Through the tunnel', {
    title: 'WebSocket',
    looksAt: 'A WebSocket message through the same tunnel and back.',
    why: 'Proxies in front of the edge often let requests pass and break upgrades.',
    next: 'Let whatever stands in front of the edge pass `Upgrade` and `Connection` on.',
    needs: ['round-trip'],
  }),
} as const satisfies Record<string, CheckEntry>;

/** Name of one check. */
export type CheckId = keyof typeof checks;

/** All names, in the order of the report. */
export const checkIds = Object.keys(checks) as readonly CheckId[];

/** Tells whether a text is the name of a check. */
export function isCheckId(text: string): text is CheckId {
  return Object.hasOwn(checks, text);
}
