/**
 * An edge for tests of the connector: both tunnel ports on real sockets, each to be opened and closed at will, and a
 * say in every handshake. It opens no exchanges by itself.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server as TlsServer } from 'node:tls';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import type { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { frameType } from '../../src/protocol/frame.ts';
import { decodeHello, encodeHandshake, type Hello, type Welcome } from '../../src/protocol/handshake.ts';
import type { Carrier, CarrierKind } from '../../src/tunnel/carrier.ts';
import { createGrpcCarrier } from '../../src/tunnel/grpc-carrier.ts';
import { Multiplexer } from '../../src/tunnel/multiplexer.ts';
import { createTlsCarrier } from '../../src/tunnel/tls-carrier.ts';
import { connectMethod } from '../../src/tunnel/tunnel-service.ts';
import { testCertificate } from '../support/test-certificate.ts';

/** One carrier of an agent. */
export interface FakeCarrier {
  readonly kind: CarrierKind;
  readonly multiplexer: Multiplexer;
  hello: Hello | undefined;
  readonly goAways: GiraffeError[];
}

/** An edge that welcomes everybody unless told otherwise. */
export class FakeEdge implements AsyncDisposable {
  readonly carriers: FakeCarrier[] = [];
  /** Sockets of both ports that are open. */
  readonly sockets = new Set<Socket>();
  /** Answers a HELLO: with an error to refuse it, or undefined to say nothing. */
  answer: (hello: Hello, kind: CarrierKind) => Welcome | GiraffeError | undefined = (hello) => this.welcome(hello);
  /** Whether a GOAWAY is acknowledged at once. */
  acknowledges = true;
  readonly #ports = { grpc: 0, tls: 0 };
  readonly #servers = new Map<CarrierKind, TlsServer>();
  readonly #grpc = new Server();
  readonly #waiting = new Set<() => void>();

  private constructor() {
    this.#grpc.addService(
      { Connect: connectMethod },
      { Connect: (call: ServerDuplexStream<Buffer, Buffer>) => this.#acceptCall(call) },
    );
  }

  /** Starts an edge with both ports reserved and the given ones open. */
  static async start(kinds: readonly CarrierKind[] = ['grpc', 'tls']): Promise<FakeEdge> {
    const edge = new FakeEdge();
    for (const kind of ['grpc', 'tls'] as const) {
      await edge.open(kind);
      if (!kinds.includes(kind)) await edge.shut(kind);
    }
    return edge;
  }

  get ports(): { readonly grpc: number; readonly tunnel: number } {
    return { grpc: this.#ports.grpc, tunnel: this.#ports.tls };
  }

  /** Listens on a port, the same one each time. */
  async open(kind: CarrierKind, host = '127.0.0.1'): Promise<void> {
    const { certPem, keyPem } = await testCertificate();
    const server = createServer({ cert: certPem, key: keyPem, ALPNProtocols: [kind === 'grpc' ? 'h2' : 'giraffe'] });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => {
        this.sockets.delete(socket);
        this.#wake();
      });
    });
    server.on('tlsClientError', () => {});
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      if (kind === 'grpc') injector.injectConnection(socket);
      else this.#accept(createTlsCarrier(socket));
    });
    await once(server.listen(this.#ports[kind], host), 'listening');
    this.#ports[kind] = (server.address() as AddressInfo).port;
    this.#servers.set(kind, server);
  }

  /** Closes a port, and what is connected to it. */
  async shut(kind: CarrierKind): Promise<void> {
    const server = this.#servers.get(kind);
    this.#servers.delete(kind);
    if (server === undefined) return;
    server.close();
    for (const socket of this.sockets) if (socket.localPort === this.#ports[kind]) socket.destroy();
    if (server.listening) await once(server, 'close');
  }

  /** Cuts the connections of one kind, or all; the ports stay open. */
  cut(kind?: CarrierKind): void {
    for (const socket of this.sockets) {
      if (kind === undefined || socket.localPort === this.#ports[kind]) socket.destroy();
    }
  }

  welcome(hello: Hello): Welcome {
    return {
      software: 'fake',
      capabilities: [],
      sessionId: `session-${hello.generation}`,
      endpoints: hello.endpoints.map((host, index) => {
        const name = host ?? `chosen-${index}.test`;
        return { host: name, url: `http://${name}/` };
      }),
      ports: this.ports,
      keepAliveMs: 60_000,
      maxStreams: 100,
    };
  }

  /** HELLOs in the order in which they came. */
  get hellos(): readonly Hello[] {
    return this.carriers.flatMap(({ hello }) => hello ?? []);
  }

  /** The latest open carrier of a kind. */
  carrier(kind: CarrierKind): FakeCarrier {
    const found = this.carriers.findLast((one) => one.kind === kind && one.multiplexer.isOpen);
    if (found === undefined) throw new Error(`no ${kind} carrier`);
    return found;
  }

  /** Resolves when `condition` holds, looked at whenever something happens here. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut('grpc');
    await this.shut('tls');
    this.#grpc.forceShutdown();
  }

  #acceptCall(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.#accept(createGrpcCarrier(call, { peer: call.getPeer(), admit: () => {}, destroy: () => {} }));
  }

  #accept(carrier: Carrier): void {
    const multiplexer = new Multiplexer(
      carrier,
      { role: 'edge' },
      {
        onHandshake: (_type, payload) => {
          fake.hello = decodeHello(payload);
          this.#respond(fake, fake.hello);
          this.#wake();
        },
        onOpen: () => {
          throw new Error('the agent opened a stream');
        },
        onTicket: () => multiplexer.ticket(Buffer.from(`ticket-${this.carriers.indexOf(fake)}`)),
        onGoAway: (reason) => {
          fake.goAways.push(reason);
          if (this.acknowledges) multiplexer.goAway(reason, true);
          this.#wake();
        },
        onClose: () => this.#wake(),
      },
    );
    const fake: FakeCarrier = { kind: carrier.kind, multiplexer, hello: undefined, goAways: [] };
    this.carriers.push(fake);
  }

  #respond({ kind, multiplexer }: FakeCarrier, hello: Hello): void {
    const answer = this.answer(hello, kind);
    if (answer === undefined) return;
    if (answer instanceof Error) return multiplexer.close(answer);
    multiplexer.handshake(frameType.welcome, encodeHandshake(answer));
    multiplexer.activate(answer.keepAliveMs);
  }

  #wake(): void {
    for (const one of this.#waiting) one();
  }
}
