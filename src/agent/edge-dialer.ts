/**
 * Opens carriers to the edge: a gRPC call on its gRPC port, or a TLS connection to its tunnel port.
 */
import type { Socket } from 'node:net';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { type ChannelCredentials, Client, type ClientOptions, credentials } from '@grpc/grpc-js';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { maxHandshakePayloadBytes } from '../protocol/frame.ts';
import type { Carrier, CarrierKind } from '../tunnel/carrier.ts';
import { createGrpcCarrier } from '../tunnel/grpc-carrier.ts';
import { http2ProbeIntervalMs, PausedProbe } from '../tunnel/paused-probe.ts';
import { createTlsCarrier } from '../tunnel/tls-carrier.ts';
import { connectMethod } from '../tunnel/tunnel-service.ts';
import type { ClientCertificate, EdgeTrust } from './agent-options.ts';
import { edgeFailure } from './edge-failure.ts';
import { connectTls, EdgeVerifier } from './edge-trust.ts';

/** HTTP/2 window of stream and connection, in octets: flow control is the session's business, per exchange. */
const flowControlWindowBytes = 16 * 1024 * 1024;
/** Largest message taken, in octets. Batches are far smaller. */
const maxMessageBytes = 32 * 1024 * 1024;

const clientOptions: ClientOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  // grpc-js reports a message as written while it still fits into its buffer for retries, also when there are none.
  // Room for HELLO alone, so that what we queue behind it is bounded by what has really left.
  'grpc.per_rpc_retry_buffer_size': maxHandshakePayloadBytes + 1024,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': -1,
  'grpc-node.flow_control_window': flowControlWindowBytes,
};

/** A carrier that is open or opening. */
export interface DialedCarrier {
  readonly carrier: Carrier;
  /** Says what the end of the carrier before its handshake means. */
  explain(reason: GiraffeError): GiraffeError;
}

/** Dials one edge. */
export class EdgeDialer {
  readonly #host: string;
  readonly #verifier: EdgeVerifier;

  constructor(host: string, trust: EdgeTrust, clientCertificate: ClientCertificate | undefined) {
    this.#host = host;
    this.#verifier = new EdgeVerifier(trust, host, clientCertificate);
  }

  /** Host and port as people write them. */
  address(port: number): string {
    return this.#host.includes(':') ? `[${this.#host}]:${port}` : `${this.#host}:${port}`;
  }

  /**
   * Opens a carrier of a kind.
   * @throws {GiraffeError} GIR_ERR_EDGE_UNREACHABLE, GIR_ERR_EDGE_CERTIFICATE; or the reason of `signal`.
   */
  async dial(kind: CarrierKind, port: number, signal: AbortSignal): Promise<DialedCarrier> {
    const address = this.address(port);
    try {
      return kind === 'grpc' ? await this.#dialGrpc(port, signal) : await this.#dialTls(port, signal);
    } catch (error) {
      throw edgeFailure(error as Error, address);
    }
  }

  async #dialTls(port: number, signal: AbortSignal): Promise<DialedCarrier> {
    const socket = await connectTls(await this.#verifier.options(port, 'giraffe', signal), signal);
    return { carrier: createTlsCarrier(socket), explain: (reason) => reason };
  }

  async #dialGrpc(port: number, signal: AbortSignal): Promise<DialedCarrier> {
    const address = this.address(port);
    const connections = new CallConnections(await this.#verifier.options(port, 'h2', signal), signal);
    signal.throwIfAborted();
    const client = new Client(`dns:${address}`, connections.credentials(), clientOptions);
    const { path, requestSerialize, responseDeserialize } = connectMethod;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    call.on('error', () => {});
    const destroy = (): void => {
      call.cancel();
      client.close();
      connections.destroy();
    };
    const carrier = createGrpcCarrier(call, { peer: address, admit: () => {}, destroy });
    const explain = (reason: GiraffeError): GiraffeError => {
      if (reason.code !== 'GIR_ERR_SESSION_LOST') return reason;
      return edgeFailure(connections.failure ?? (reason.cause instanceof Error ? reason.cause : reason), address);
    };
    return { carrier, explain };
  }
}

/**
 * The connections that grpc-js makes for one call: verified like all others, and closed at once when it ends.
 *
 * None is made later. A channel that is closed while it waits to try again tries all the same, a second on, and nobody
 * would ever close the connection that comes of it.
 */
class CallConnections {
  /** Why the latest one failed in TLS; grpc-js would only keep its text. */
  failure: Error | undefined;
  readonly #options: ConnectionOptions;
  readonly #signal: AbortSignal;
  readonly #sockets = new Set<Socket>();
  readonly #probe = new PausedProbe(http2ProbeIntervalMs);
  #isOver = false;

  constructor(options: ConnectionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Channel credentials that make connections here. grpc-js checks their class, so they are one of its own. */
  credentials(): ChannelCredentials {
    // Its context is never used. `createSsl` would fill it with the roots of GRPC_DEFAULT_SSL_ROOTS_FILE_PATH each time.
    const channel = credentials.createFromSecureContext(createSecureContext());
    const callCredentials = credentials.createEmpty();
    channel._createSecureConnector = () => ({
      connect: async (socket) => ({ socket: await this.#secure(socket), secure: true }),
      waitForReady: async () => this.#throwIfOver(),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    });
    return channel;
  }

  /** Closes them without waiting for a peer that may be gone, as grpc-js would. */
  destroy(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What is thrown here makes grpc-js give up, and close the connection that it has by then. */
  #throwIfOver(): void {
    if (this.#isOver) throw new GiraffeError('GIR_ERR_CANCELLED');
  }

  async #secure(socket: Socket): Promise<Socket> {
    this.#throwIfOver();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#probe.addUntilClosed(socket);
    try {
      return await connectTls({ ...this.#options, socket }, this.#signal);
    } catch (error) {
      this.failure = error as Error;
      throw error;
    }
  }
}
