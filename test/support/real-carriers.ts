/** Carriers over real sockets on loopback, port 0. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectNet, createServer, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { http2SessionOf } from '../../src/edge/http2-session.ts';
import type { Carrier } from '../../src/tunnel/carrier.ts';
import { createGrpcCarrier } from '../../src/tunnel/grpc-carrier.ts';
import { createTlsCarrier } from '../../src/tunnel/tls-carrier.ts';
import { connectMethod, loadTunnelPackage, tunnelService } from '../../src/tunnel/tunnel-service.ts';
import { startCuttableProxy } from './cuttable-proxy.ts';
import { testCertificate } from './test-certificate.ts';

/** Two connected carriers, not started. */
export interface CarrierPair extends AsyncDisposable {
  readonly server: Carrier;
  readonly client: Carrier;
  /** How often each end's admission and connection drop was asked for. */
  readonly calls: { admit: number; serverDestroy: number; clientDestroy: number };
  /** Cuts the connection at the client's end with a TCP reset. */
  cut(): void;
}

/** A TLS connection, both ends of it. */
export interface TlsPair extends AsyncDisposable {
  readonly serverSocket: TLSSocket;
  readonly clientSocket: TLSSocket;
  readonly rawClient: Socket;
}

/** Connects by TLS over a TCP connection that stays in reach. */
export async function connectTlsPair(options: { allowHalfOpen?: boolean } = {}): Promise<TlsPair> {
  const { certPem, keyPem, caPem } = await testCertificate();
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const rawClient = connectNet({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [rawServer] = (await once(listener, 'connection')) as [Socket];
  const serverSocket = new TLSSocket(rawServer, { isServer: true, cert: certPem, key: keyPem, ...options });
  const clientSocket = connectTls({ socket: rawClient, ca: caPem, servername: 'localhost', ...options });
  await Promise.all([once(serverSocket, 'secure'), once(clientSocket, 'secureConnect')]);
  return {
    serverSocket,
    clientSocket,
    rawClient,
    [Symbol.asyncDispose]: async () => {
      for (const socket of [serverSocket, clientSocket, rawClient, rawServer]) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** A pair of TLS carriers. */
export async function tlsCarriers(): Promise<CarrierPair> {
  const pair = await connectTlsPair();
  const calls = { admit: 0, serverDestroy: 0, clientDestroy: 0 };
  const onAdmitted = (): void => {
    calls.admit += 1;
  };
  return {
    server: createTlsCarrier(pair.serverSocket, onAdmitted),
    client: createTlsCarrier(pair.clientSocket),
    calls,
    cut: () => pair.rawClient.resetAndDestroy(),
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

const channelOptions = {
  'grpc.max_receive_message_length': 32 * 1024 * 1024,
  'grpc.max_send_message_length': -1,
  'grpc.use_local_subchannel_pool': 1,
};

/** A grpc-js server whose Connect calls are given to `onConnect`, and its port. */
export async function grpcServer(
  onConnect: (call: ServerDuplexStream<Buffer, Buffer>) => void,
): Promise<{ server: Server; port: number }> {
  const server = new Server(channelOptions);
  server.addService(tunnelService(loadTunnelPackage()), {
    Connect: onConnect,
    HealthCheck: (_call: unknown, respond: (error: null, value: object) => void) =>
      respond(null, { status: 'SERVING' }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { server, port };
}

/** A client for it. */
export function grpcClient(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), channelOptions);
}

/** A pair of gRPC carriers over one real call. */
export async function grpcCarriers(): Promise<CarrierPair> {
  const calls = { admit: 0, serverDestroy: 0, clientDestroy: 0 };
  const admit = (): void => {
    calls.admit += 1;
  };
  let onCall: (call: ServerDuplexStream<Buffer, Buffer>) => void = () => {};
  const accepted = new Promise<ServerDuplexStream<Buffer, Buffer>>((resolve) => {
    onCall = resolve;
  });
  const { server, port } = await grpcServer((call) => onCall(call));
  const way = await startCuttableProxy(port);
  const client = grpcClient(way.port);
  const { path, requestSerialize, responseDeserialize } = connectMethod;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  call.on('error', () => {});
  const serverCall = await accepted;
  const session = http2SessionOf(serverCall);
  return {
    server: createGrpcCarrier(serverCall, {
      peer: serverCall.getPeer(),
      admit,
      destroy: () => {
        calls.serverDestroy += 1;
        session?.destroy();
      },
    }),
    client: createGrpcCarrier(call, {
      peer: `127.0.0.1:${port}`,
      admit,
      destroy: () => {
        calls.clientDestroy += 1;
        call.cancel();
        client.close();
      },
    }),
    calls,
    cut: () => way.cut(),
    [Symbol.asyncDispose]: async () => {
      client.close();
      server.forceShutdown();
      await way[Symbol.asyncDispose]();
    },
  };
}
