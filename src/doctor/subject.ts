/** What the doctor looks at, in plain values: the host makes them of settings and of what is on this machine. */
import type { ClientCertificate, EdgeTrust, HostHeader, OriginTls, TransportChoice } from '../agent/agent-options.ts';
import type { Target } from '../http/target.ts';
import type { Finding } from './check.ts';

/** A program that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  /** Name of the program, without its folder. */
  readonly program: string;
}

/** The state folder. */
export interface StateSubject {
  /** Absolute path. */
  readonly path: string;
  /** Whether an edge here needs it. */
  readonly isNeeded: boolean;
}

/** An edge that is, or would be, on this machine. */
export interface EdgeSubject {
  /** Whether there is one, running or not. If not, only its ports are looked at: could one start here? */
  readonly exists: boolean;
  readonly stateDir: string;
  /** 0 stands for any free port. */
  readonly ports: { readonly proxy: number; readonly api: number; readonly grpc: number; readonly tunnel: number };
  /** Address that the proxy and tunnel ports listen on; undefined for all. */
  readonly host: string | undefined;
  readonly apiHost: string;
  /** Certificate files of the operator; undefined for those of the state folder. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Names by which agents call the edge: the certificate has to cover them. */
  readonly calledBy: readonly string[];
  /** All names that the edge's own certificate is made for. */
  readonly names: readonly string[];
  /** Whether the way to the edge is looked at because this edge is here, and for no other reason. */
  readonly isOnlyWay: boolean;
  /** Returns who listens on a port, where that can be known. */
  findHolder(port: number): PortHolder | undefined;
}

/** The way from here to an edge. */
export interface WaySubject {
  /** Without a `tunnelPort` it is what the edge tells, or 4443 where it cannot be asked. */
  readonly server: { readonly host: string; readonly grpcPort: number; readonly tunnelPort: number | undefined };
  readonly transport: TransportChoice;
  readonly trust: EdgeTrust;
  readonly clientCertificate: ClientCertificate | undefined;
  readonly token: TokenSubject;
  /** Endpoints that are asked for; undefined where the edge is to choose. */
  readonly domains: readonly (string | undefined)[];
}

/** The token of an agent. */
export interface TokenSubject {
  /** Empty when a certificate stands for it; undefined when there is none. */
  readonly value: string | undefined;
  /** Where it was found, or why there is none, in words. */
  readonly source: string;
  /** Whether it is the one that the edge left in the state folder. */
  readonly isLeftByEdge: boolean;
  /** State folder of the edge, when that is on this machine; undefined when only the edge can judge the token. */
  readonly stateDir: string | undefined;
}

/** One service behind a tunnel. */
export interface ServiceSubject {
  /** Name of the tunnel in the configuration file. */
  readonly name: string | undefined;
  readonly target: Target;
  /** Host that clients will send; undefined when the edge is to choose it. */
  readonly domain: string | undefined;
  readonly hostHeader: HostHeader;
  /** How its certificate is verified, if it speaks TLS. */
  readonly originTls: OriginTls;
}

/** Everything that is looked at. Parts that are undefined are not here, and not in the report. */
export interface DoctorSubject {
  readonly nodeVersion: string;
  /** Look at the configuration and at the extensions; made by the host, which knows them. */
  readonly configuration: () => Promise<Finding>;
  readonly extensions: () => Promise<Finding>;
  readonly state: StateSubject | undefined;
  readonly edge: EdgeSubject | undefined;
  readonly way: WaySubject | undefined;
  readonly services: readonly ServiceSubject[];
  /** The wall clock, in milliseconds since 1970. */
  now(): number;
}
