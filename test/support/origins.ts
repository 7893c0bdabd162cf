/**
 * Origins for integration tests: node:http servers, and raw ones that send exactly the octets a test wants.
 */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A service on a free loopback port. Disposing it drops its connections. */
export interface Origin extends AsyncDisposable {
  readonly port: number;
  /** What `startTestAgent` takes as its target. */
  readonly target: string;
  /** Connections accepted since it started. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>;
}

/** Starts an HTTP origin without time limits of its own. Port 0 picks a free one. */
export async function startHttpOrigin(listener: RequestListener, port = 0): Promise<Origin> {
  const server = createHttpServer({ requestTimeout: 0, headersTimeout: 0 }, listener);
  server.timeout = 0;
  return started(server, port);
}

/** Starts an origin that is handed its sockets. It does not answer a FIN by itself, and survives errors of sockets. */
export async function startSocketOrigin(onSocket: (socket: Socket) => void): Promise<Origin> {
  return started(createServer({ allowHalfOpen: true, noDelay: true }, onSocket));
}

async function started(server: ReturnType<typeof createServer>, wantedPort = 0): Promise<Origin> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen({ port: wantedPort, host: '127.0.0.1', backlog: 4096 }, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    target: `127.0.0.1:${port}`,
    open,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Calls `onHead` with the text of each request head that arrives; bodies are not told apart. */
export function onRequestHead(socket: Socket, onHead: (head: string) => unknown): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end + 4);
      text = text.slice(end + 4);
      void onHead(head);
    }
  });
}
