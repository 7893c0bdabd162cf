/**
 * Checks of the way from here to an edge, layer by layer: DNS, TCP, TLS, HTTP/2, gRPC, and the handshake of an agent.
 *
 * Opens no session: the edge is asked by a probe, which takes no agent's place.
 */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { EdgeDialer } from '../agent/edge-dialer.ts';
import { edgeFailure, isFinalRefusal } from '../agent/edge-failure.ts';
import { probeEdge } from '../agent/edge-probe.ts';
import { connectTls, EdgeVerifier } from '../agent/edge-trust.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { Welcome } from '../protocol/handshake.ts';
import type { CarrierKind } from '../tunnel/carrier.ts';
import type { CheckId } from './catalogue.ts';
import { type Check, type Finding, failed, ok, skipped } from './check.ts';
import { clockFinding } from './clock.ts';
import { askHealth, type HealthAnswer } from './health-question.ts';
import type { WaySubject } from './subject.ts';
import { certificateLife, tlsFailure } from './tls-findings.ts';
import { checkToken } from './token-check.ts';

/** Port of the TCP tunnel where nobody says another one. */
const defaultTunnelPort = 4443;

/** The checks of one way, and what they have learnt. */
export class WayChecks {
  readonly #way: WaySubject;
  readonly #now: () => number;
  readonly #verifier: EdgeVerifier;
  readonly #dialer: EdgeDialer;
  readonly #sockets = new Set<TLSSocket>();
  readonly #refusals: GiraffeError[] = [];
  readonly #handshakes = new Map<CarrierKind, Welcome>();
  #grpcSocket: TLSSocket | undefined;
  #health: HealthAnswer | undefined;

  constructor(way: WaySubject, now: () => number) {
    const { server, trust, clientCertificate } = way;
    this.#way = way;
    this.#now = now;
    this.#verifier = new EdgeVerifier(trust, server.host, clientCertificate);
    this.#dialer = new EdgeDialer(server.host, trust, clientCertificate);
  }

  checks(): [CheckId, Check][] {
    return [
      ['token', () => checkToken(this.#way.token, this.#now())],
      ['dns', () => this.#resolve()],
      ['reach-grpc', (signal) => this.#reach('grpc', signal)],
      ['tls-grpc', (signal) => this.#secure('grpc', signal)],
      ['alpn', async () => this.#alpn()],
      ['grpc-health', (signal) => this.#ask(signal)],
      ['clock', async () => this.#clock()],
      ['handshake-grpc', (signal) => this.#shakeHands('grpc', signal)],
      ['reach-tunnel', (signal) => this.#reach('tls', signal)],
      ['tls-tunnel', (signal) => this.#secure('tls', signal)],
      ['handshake-tunnel', (signal) => this.#shakeHands('tls', signal)],
    ];
  }

  /** What the edge has answered to the handshakes that went well. */
  get welcomes(): ReadonlyMap<CarrierKind, Welcome> {
    return this.#handshakes;
  }

  /** Closes what is still open. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #resolve(): Promise<Finding> {
    const { host } = this.#way.server;
    if (isIP(host) !== 0) return ok(`${host} is an address`);
    try {
      const found = await lookup(host, { all: true });
      return ok(`${host} is ${found.map(({ address }) => address).join(', ')}`);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      const isUnknown = code === 'ENOTFOUND';
      const saw = isUnknown ? `there is no address for ${host}` : `${host} cannot be looked up (${code})`;
      return failed(saw, isUnknown ? undefined : "Check this machine's DNS resolver.", 'GIR_ERR_EDGE_UNREACHABLE');
    }
  }

  async #reach(kind: CarrierKind, signal: AbortSignal): Promise<Finding> {
    const unused = this.#unused(kind);
    if (unused !== undefined) return unused;
    const address = this.#dialer.address(this.#port(kind));
    try {
      await connectTcp(this.#way.server.host, this.#port(kind), signal);
      return ok(`${address} accepts connections`);
    } catch (error) {
      if (signal.aborted) {
        return failed(
          `${address} does not answer: packets vanish on the way`,
          `Open port ${this.#port(kind)} in the firewalls between here and the edge.`,
          'GIR_ERR_EDGE_UNREACHABLE',
        );
      }
      const { code, message } = edgeFailure(error as Error, address);
      return failed(isRefusal(error) ? `${address} refuses connections` : message, this.#unreachableNext(kind), code);
    }
  }

  /** When the other port answers, the edge runs, and it is this port that is closed. */
  #unreachableNext(kind: CarrierKind): string | undefined {
    if (kind === 'grpc' || this.#handshakes.size === 0) return undefined;
    return `The edge runs: open port ${this.#port(kind)} on the way to it, or name the right one with --tunnel-port.`;
  }

  async #secure(kind: CarrierKind, signal: AbortSignal): Promise<Finding> {
    const port = this.#port(kind);
    try {
      const socket = await this.#connect(port, kind === 'grpc' ? 'h2' : 'giraffe', signal);
      if (kind === 'grpc') this.#grpcSocket = socket;
      else socket.end();
      return certificateLife(socket, this.#way.trust.kind, this.#now());
    } catch (error) {
      return tlsFailure(error as Error, this.#dialer.address(port), this.#way.trust.kind);
    }
  }

  async #connect(port: number, alpn: string, signal: AbortSignal): Promise<TLSSocket> {
    const options = await this.#verifier.options(port, alpn, signal);
    const socket = await connectTls(options, signal).catch((error: NodeJS.ErrnoException) => {
      // TLS itself works, and which protocol is spoken is another check's business.
      if (!/NO_APPLICATION_PROTOCOL/.test(error.code ?? '')) throw error;
      return connectTls(withoutAlpn(options), signal);
    });
    this.#sockets.add(socket.on('error', () => {}));
    return socket;
  }

  #alpn(): Finding {
    const protocol = this.#grpcSocket?.alpnProtocol;
    if (protocol === 'h2') return ok('h2');
    const what = protocol ? protocol : 'no protocol';
    return failed(`the port agrees to ${what}, not to h2`, undefined, 'GIR_ERR_EDGE_UNREACHABLE');
  }

  async #ask(signal: AbortSignal): Promise<Finding> {
    if (this.#grpcSocket === undefined) return failed('the connection is gone');
    const answer = await askHealth(this.#grpcSocket, this.#way.server.host, this.#now, signal);
    this.#health = answer;
    if (answer.status === 'SERVING') return ok('SERVING');
    if (answer.status === 'NOT_SERVING') return failed('NOT_SERVING', undefined, 'GIR_ERR_DRAINING');
    return failed(
      `no gRPC health answer (${answer.detail})`,
      'Check that --server names the gRPC port of an edge: another service answers here.',
      'GIR_ERR_EDGE_UNREACHABLE',
    );
  }

  #clock(): Finding {
    return this.#health === undefined ? skipped('the edge was not asked') : clockFinding(this.#health);
  }

  async #shakeHands(kind: CarrierKind, signal: AbortSignal): Promise<Finding> {
    const [refusal] = this.#refusals;
    if (refusal !== undefined) return skipped('the edge has refused it over gRPC already');
    const { token, domains } = this.#way;
    const endpoints = domains.length === 0 ? [null] : domains.map((domain) => domain ?? null);
    try {
      const question = { kind, port: this.#port(kind), token: token.value ?? '', endpoints };
      const welcome = await probeEdge(this.#dialer, question, signal);
      this.#handshakes.set(kind, welcome);
      return ok(`${welcome.software} takes it${domainsText(domains)}`);
    } catch (error) {
      const failure = GiraffeError.from(error);
      if (isFinalRefusal(failure)) this.#refusals.push(failure);
      return failed(failure.message, refusalNext(failure, domains), failure.code);
    }
  }

  /** A carrier that the agent would not use. */
  #unused(kind: CarrierKind): Finding | undefined {
    const { transport } = this.#way;
    if (transport === 'auto' || (transport === 'grpc') === (kind === 'grpc')) return undefined;
    return skipped(`--transport ${transport} does not use it`);
  }

  #port(kind: CarrierKind): number {
    const { grpcPort, tunnelPort } = this.#way.server;
    if (kind === 'grpc') return grpcPort;
    return tunnelPort ?? this.#handshakes.get('grpc')?.ports.tunnel ?? defaultTunnelPort;
  }
}

function connectTcp(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, autoSelectFamily: true });
    signal.addEventListener('abort', () => {
      socket.destroy();
      reject(GiraffeError.from(signal.reason));
    });
    socket.on('error', reject);
    socket.once('connect', () => {
      // Some forwarders accept before they know that nobody is behind them, and close at once.
      const settled = setTimeout(() => {
        socket.destroy();
        resolve();
      }, closeProbeMs);
      socket.once('close', () => {
        clearTimeout(settled);
        reject(new Error('the connection is accepted and closed at once'));
      });
    });
  });
}

/** How long a connection has to stay open to count, in milliseconds. */
const closeProbeMs = 50;

function withoutAlpn({ ALPNProtocols: _, ...options }: ConnectionOptions): ConnectionOptions {
  return options;
}

function isRefusal(error: unknown): boolean {
  const inner = error instanceof AggregateError ? error.errors : [error];
  return inner.every((one) => (one as NodeJS.ErrnoException).code === 'ECONNREFUSED');
}

function domainsText(domains: WaySubject['domains']): string {
  const named = domains.filter((domain) => domain !== undefined);
  return named.length === 0 ? '' : `, for ${named.join(', ')}`;
}

function refusalNext({ code, entry }: GiraffeError, domains: WaySubject['domains']): string | undefined {
  if (code === 'GIR_ERR_CREDENTIALS_REFUSED') return undefined;
  if (code !== 'GIR_ERR_ENDPOINT_REFUSED') return entry.fix;
  return domains.some((domain) => domain !== undefined)
    ? entry.fix
    : 'Pass --domain with a name that the token allows; `giraffe token list` at the edge shows its scope.';
}
