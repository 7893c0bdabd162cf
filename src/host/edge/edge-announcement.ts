/** What an edge tells when it is ready: a block for people, or one event for programs. Pure. */
import type { EdgeSettings } from '../../config/edge-settings.ts';
import { isLoopbackAddress, isLoopbackName } from '../../http/loopback.ts';
import { publicUrl } from '../../http/public-url.ts';
import { serverText } from '../network/server-text.ts';
import { printable } from '../terminal/printable.ts';

/** The ports an edge listens on. */
export interface AnnouncedPorts {
  readonly proxy: number;
  readonly api: number;
  readonly grpc: number;
  readonly tunnel: number;
  /** The port that sends plain HTTP to HTTPS, if there is one. */
  readonly redirect?: number | undefined;
  /** The gRPC tunnel without TLS, if there is one. */
  readonly grpcPlaintext?: number | undefined;
}

/** A ready edge. */
export interface EdgeAnnouncement {
  readonly ports: AnnouncedPorts;
  readonly apiHost: string;
  readonly grpcPlaintextHost: string;
  readonly baseDomain: string;
  /** Where clients reach the base domain. */
  readonly clientUrl: string;
  /** Name or address by which other machines reach this one. */
  readonly publicHost: string;
  readonly stateDir: string;
  /** Whether an agent finds the state folder without being told. */
  readonly isDefaultStateDir: boolean;
  /** The server in front that agents elsewhere have to call, `host:port`; undefined when they call the edge itself. */
  readonly frontServer: string | undefined;
  /** Pin of our own CA; undefined with a certificate of the operator's. */
  readonly caFingerprint: string | undefined;
  /** The first token, only when it was made just now and a person reads this, not a log. */
  readonly firstToken: string | undefined;
}

/** What the settings do not say of a ready edge. */
export interface EdgeFacts
  extends Pick<EdgeAnnouncement, 'ports' | 'stateDir' | 'isDefaultStateDir' | 'caFingerprint' | 'firstToken'> {
  /** Name of this machine, for an edge that has no public one. */
  readonly machineName: string;
}

/** Returns what is told of an edge with these settings. */
export function announcementOf(settings: EdgeSettings, { machineName, ...facts }: EdgeFacts): EdgeAnnouncement {
  const { host = '', apiHost, grpcPlaintextHost, baseDomain, proxyTls, publicScheme, publicPort } = settings;
  const isLocal = isLoopbackName(baseDomain);
  const scheme = publicScheme ?? (proxyTls ? 'https' : 'http');
  const publicHost = settings.publicHost ?? (isLocal ? machineName : baseDomain);
  // Nobody comes from elsewhere to a port on loopback; the gRPC tunnel then shares the port of clients.
  const isOnLoopback = isLoopbackName(host) || isLoopbackAddress(host);
  const isBehind = isOnLoopback && facts.ports.grpcPlaintext !== undefined && publicPort !== undefined;
  return {
    ...facts,
    apiHost,
    grpcPlaintextHost,
    baseDomain,
    clientUrl: publicUrl(baseDomain, { scheme, port: publicPort ?? facts.ports.proxy }),
    publicHost,
    frontServer: isBehind ? serverText({ host: publicHost, port: publicPort }) : undefined,
  };
}

/** Ports that an agent tries by itself. */
const defaultGrpcPort = 4444;
const defaultTunnelPort = 4443;

/** Returns the lines for people. The token stands in them only when it is new. */
export function edgeReadyLines(edge: EdgeAnnouncement): string[] {
  const { ports, baseDomain } = edge;
  const lines = [
    'The edge is ready.',
    `  clients          ${edge.clientUrl}, and every name under ${baseDomain}`,
    ...(ports.redirect === undefined ? [] : [`  redirect         port ${ports.redirect}, to HTTPS`]),
    `  gRPC tunnel      port ${ports.grpc}`,
    `  TCP tunnel       port ${ports.tunnel}`,
    ...plaintextLines(edge),
    `  dashboard, API   http://${serverText({ host: edge.apiHost, port: ports.api })}`,
    `  state folder     ${edge.stateDir}`,
    '',
    'Start an agent on this machine:',
    `  ${localCommand(edge)}`,
    ...remoteLines(edge),
  ];
  return lines.map(printable);
}

function plaintextLines({ ports: { grpcPlaintext }, grpcPlaintextHost }: EdgeAnnouncement): string[] {
  if (grpcPlaintext === undefined) return [];
  return [
    `  without TLS      ${serverText({ host: grpcPlaintextHost, port: grpcPlaintext })}, the gRPC tunnel for a web server in front`,
  ];
}

function localCommand({ ports, stateDir, isDefaultStateDir, caFingerprint, publicHost }: EdgeAnnouncement): string {
  // A certificate of the operator's is for the public name, so that is the one to call, even from here.
  const host = caFingerprint === undefined ? publicHost : 'localhost';
  const isDefaultServer = host === 'localhost' && ports.grpc === defaultGrpcPort;
  const server = isDefaultServer ? '' : ` --server ${serverText({ host, port: ports.grpc })}`;
  const state = isDefaultStateDir ? '' : ` --state-dir ${shellWord(stateDir)}`;
  return `giraffe tunnel 3000${server}${tunnelPortFlag(ports)}${state}`;
}

/** Needed where gRPC is blocked: there the edge cannot be asked for its other port. */
function tunnelPortFlag({ tunnel }: AnnouncedPorts): string {
  return tunnel === defaultTunnelPort ? '' : ` --tunnel-port ${tunnel}`;
}

function remoteLines({
  ports,
  publicHost,
  frontServer,
  caFingerprint,
  firstToken,
  stateDir,
  isDefaultStateDir,
}: EdgeAnnouncement): string[] {
  // The certificate of a server in front is its own.
  const ca = caFingerprint === undefined || frontServer !== undefined ? '' : ` --ca ${caFingerprint}`;
  const server = frontServer ?? serverText({ host: publicHost, port: ports.grpc });
  const command = `giraffe tunnel 3000 --server ${server}${tunnelPortFlag(ports)}${ca}`;
  if (firstToken !== undefined) {
    return [
      'or paste this line on another machine (the token is shown only now):',
      `  GIRAFFE_TOKEN=${firstToken} ${command}`,
    ];
  }
  const createCommand = `giraffe token create${isDefaultStateDir ? '' : ` --state-dir ${shellWord(stateDir)}`}`;
  return [
    `or on another machine, with the token in ${stateDir}/agent-token or one that \`${createCommand}\` makes, in GIRAFFE_TOKEN:`,
    `  ${command}`,
  ];
}

/** Returns the fields of the event `ready`. Holds no token. */
export function edgeReadyEvent(edge: EdgeAnnouncement, pid: number): object {
  const { ports, baseDomain, stateDir, caFingerprint } = edge;
  return { ports, baseDomain, stateDir, pid, ...(caFingerprint === undefined ? {} : { caFingerprint }) };
}

/** Quotes a word for a POSIX shell where that is needed. */
function shellWord(word: string): string {
  return /^[\w./@%+:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
