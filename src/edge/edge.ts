/**
 * The edge as a whole: its three ports, its sessions, and the order in which they start and stop.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { ClientListener } from './client-listener.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Edge, EdgeOptions, EdgePorts, TunnelStats } from './edge-options.ts';
import { EdgeFigures } from './figures.ts';
import { GrpcListener } from './grpc-listener.ts';
import { RouteTable } from './route-table.ts';
import { SessionAcceptor } from './session-acceptor.ts';
import { TunnelListener } from './tunnel-listener.ts';

/** Agents get this long to hear that the edge has closed, in milliseconds. */
const farewellMs = 200;

/**
 * Starts an edge; it accepts on all its ports when this resolves.
 * @throws {GiraffeError} GIR_ERR_LISTEN, GIR_ERR_CONFIG. Nothing is left listening then.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const edge = new RunningEdge(options);
  await edge.listen();
  return edge;
}

class RunningEdge implements Edge {
  readonly #options: EdgeOptions;
  readonly #routes: RouteTable;
  readonly #figures: EdgeFigures;
  readonly #dispatcher: Dispatcher;
  readonly #clients: ClientListener;
  readonly #grpc: GrpcListener;
  readonly #tunnel: TunnelListener;
  #ports: EdgePorts = { proxy: 0, grpc: 0, tunnel: 0 };
  #isDraining = false;
  #isClosed = false;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#routes = new RouteTable(options.knownEndpoints);
    this.#figures = new EdgeFigures((host) => this.#routes.find(host) !== undefined);
    this.#dispatcher = new Dispatcher(options, this.#routes, this.#figures);
    this.#clients = new ClientListener(options, this.#dispatcher);
    const acceptor = new SessionAcceptor({
      options,
      routes: this.#routes,
      ports: () => this.#ports,
      isDraining: () => this.#isDraining,
    });
    this.#grpc = new GrpcListener(options, (carrier) => acceptor.accept(carrier));
    this.#tunnel = new TunnelListener(options, (carrier) => acceptor.accept(carrier));
  }

  get ports(): EdgePorts {
    return this.#ports;
  }

  /** Tunnel ports first: when clients can come, agents can too. */
  async listen(): Promise<void> {
    try {
      const grpc = await this.#grpc.listen(this.#options.grpc);
      const tunnel = await this.#tunnel.listen(this.#options.tunnel);
      this.#ports = { grpc, tunnel, proxy: 0 };
      const proxy = await this.#clients.listen(this.#options.proxy);
      this.#ports = { grpc, tunnel, proxy };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  stats(): readonly TunnelStats[] {
    return this.#figures.stats(this.#routes.hosts, (host) => this.#routes.find(host)?.size ?? 0);
  }

  reload(certificate: EdgeOptions['certificate']): void {
    const { handshakeTimeoutMs } = this.#options.limits;
    this.#grpc.reload(certificate, handshakeTimeoutMs);
    this.#tunnel.reload(certificate, handshakeTimeoutMs);
  }

  /** Clients first: no new work comes in. Sessions last: what is in flight needs them to the end. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const reason = new GiraffeError('GIR_ERR_DRAINING');
    this.#clients.drain();
    this.#grpc.stopAccepting();
    this.#tunnel.stopAccepting();
    for (const session of this.#routes.sessions) session.announceLeaving(reason);
    await withDeadline(this.#clientsDone(), deadlineMs);
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isDraining = true;
    this.#clients.close();
    const sessions = [...this.#routes.sessions];
    for (const session of sessions) session.close(new GiraffeError('GIR_ERR_DRAINING', 'the edge has closed'));
    if (sessions.length > 0) await new Promise((resolve) => setTimeout(resolve, farewellMs));
    this.#grpc.close();
    this.#tunnel.close();
  }

  /** Resolves when every exchange has ended and every client has its answer. */
  async #clientsDone(): Promise<void> {
    await this.#dispatcher.idle();
    await this.#clients.closed();
  }
}

async function withDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
