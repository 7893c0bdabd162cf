/**
 * The gRPC tunnel port (4444): tunnel.TunnelService, health and reflection, for grpc-js behind our own TLS server, and
 * perhaps a port without TLS for a web server in front.
 *
 * Our own, because grpc-js offers no way to set TLS options, and because a
 * connection must be ours to drop: Node's HTTP/2 server keeps a connection on
 * which it met a bad frame for ever.
 */
import { createServer as createPlainServer, type Server as PlainServer, type Socket } from 'node:net';
import { createServer, type Server as TlsServer } from 'node:tls';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { peerText } from '../http/forwarded.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Carrier } from '../tunnel/carrier.ts';
import { createGrpcCarrier } from '../tunnel/grpc-carrier.ts';
import { http2ProbeIntervalMs, PausedProbe } from '../tunnel/paused-probe.ts';
import { loadHealthPackage, loadTunnelPackage, tunnelService } from '../tunnel/tunnel-service.ts';
import type { EdgeOptions } from './edge-options.ts';
import { http2SessionOf } from './http2-session.ts';
import { listen, reloadTls, stopListening, tunnelTlsOptions } from './listen.ts';
import { gateKey, StrangerGate } from './stranger-gate.ts';
import { type TunnelPeer, tunnelPeer } from './tunnel-peer.ts';

/** HTTP/2 window towards an authenticated agent, for the connection and its one stream, in octets. */
const windowBytes = 16 * 1024 * 1024;
/** Calls at once on one connection: an agent needs one. */
const maxCallsPerConnection = 16;
const serviceName = 'tunnel.TunnelService';

/** A call whose connection is gone already. */
const nobody: TunnelPeer = { address: '', certificate: undefined };

type ConnectCall = ServerDuplexStream<Buffer, Buffer>;
type OnCarrier = (carrier: Carrier, peer: TunnelPeer) => void;

/** The gRPC tunnel port of one edge. */
export class GrpcListener {
  readonly #server: Server;
  readonly #tlsServer: TlsServer;
  readonly #plainServer: PlainServer;
  readonly #gate: StrangerGate;
  readonly #probe = new PausedProbe(http2ProbeIntervalMs);
  readonly #health: HealthImplementation;
  readonly #logger: Logger;
  #isServing = true;

  /** @param clientCa PEM of the CAs of agents' certificates; undefined does not ask for any. */
  constructor(options: EdgeOptions, clientCa: string | undefined, onCarrier: OnCarrier) {
    const { limits, logger } = options;
    this.#logger = logger;
    this.#gate = new StrangerGate(limits.maxStrangers, limits.handshakeTimeoutMs);
    this.#server = new Server({
      'grpc.max_receive_message_length': limits.maxMessageBytes,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': maxCallsPerConnection,
    });
    this.#health = new HealthImplementation({ '': 'SERVING', [serviceName]: 'SERVING' });
    this.#addServices((call) => this.#accept(call, onCarrier));
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#tlsServer = createServer({
      ...tunnelTlsOptions(options.certificate, limits.handshakeTimeoutMs, clientCa),
      ALPNProtocols: ['h2'],
    });
    this.#tlsServer.on('connection', (socket) => this.#enter(socket));
    const inject = (socket: Socket): void => {
      socket.on('error', (error) => logger.debug({ err: error }, 'connection to the gRPC port failed'));
      injector.injectConnection(socket);
    };
    this.#tlsServer.on('secureConnection', (socket) => {
      this.#gate.secured(socket);
      inject(socket);
    });
    this.#plainServer = createPlainServer({ noDelay: true }, (socket) => {
      this.#enter(socket);
      inject(socket);
    });
    this.#tlsServer.on('tlsClientError', (error) =>
      logger.debug({ err: error }, 'TLS handshake failed on the gRPC port'),
    );
  }

  async listen(address: EdgeOptions['grpc']): Promise<number> {
    return listen(this.#tlsServer, address, this.#logger);
  }

  async listenPlaintext(address: EdgeOptions['grpc']): Promise<number> {
    return listen(this.#plainServer, address, this.#logger);
  }

  /** Uses another certificate, and other CAs of agents, for new connections. */
  reload(certificate: EdgeOptions['certificate'], handshakeTimeoutMs: number, clientCa: string | undefined): void {
    reloadTls(this.#tlsServer, tunnelTlsOptions(certificate, handshakeTimeoutMs, clientCa));
  }

  stopAccepting(): void {
    this.#isServing = false;
    this.#health.setStatus('', 'NOT_SERVING');
    this.#health.setStatus(serviceName, 'NOT_SERVING');
    stopListening(this.#tlsServer);
    stopListening(this.#plainServer);
  }

  close(): void {
    this.stopAccepting();
    this.#gate.close();
    this.#server.forceShutdown();
  }

  /** @param socket Under TLS, where there is TLS. */
  #enter(socket: Socket): void {
    this.#gate.enter(socket);
    this.#probe.addUntilClosed(socket);
  }

  #addServices(onConnect: (call: ConnectCall) => void): void {
    const definition = loadTunnelPackage();
    this.#server.addService(tunnelService(definition), {
      Connect: onConnect,
      HealthCheck: (_call: unknown, respond: (error: null, value: object) => void) =>
        respond(null, { status: this.#isServing ? 'SERVING' : 'NOT_SERVING' }),
    });
    this.#health.addToServer(this.#server);
    new ReflectionService({ ...definition, ...loadHealthPackage() }).addToServer(this.#server);
  }

  #accept(call: ConnectCall, onCarrier: OnCarrier): void {
    const session = http2SessionOf(call);
    const key = session?.socket === undefined ? '' : gateKey(session.socket);
    const connection = this.#gate.connection(key);
    const admit = (): void => {
      this.#gate.admit(key);
      // Only now: a stranger gets no more than HTTP/2's small default windows.
      session?.setLocalWindowSize(windowBytes);
      session?.settings({ initialWindowSize: windowBytes });
      if (session === undefined) this.#logger.warn({}, 'grpc-js hides its HTTP/2 session: bulk transfers will be slow');
    };
    const carrier = createGrpcCarrier(call, {
      peer: peerText(session?.socket?.remoteAddress, session?.socket?.remotePort),
      admit,
      destroy: () => {
        session?.destroy();
        // Node waits for what is being written, and an agent that has stopped reading takes it never.
        connection?.destroy();
      },
    });
    onCarrier(carrier, session?.socket === undefined ? nobody : tunnelPeer(session.socket));
  }
}
