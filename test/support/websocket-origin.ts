/** A WebSocket origin, and clients that reach it through an edge. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws';

/** A listening origin. */
export interface WebSocketOrigin extends AsyncDisposable {
  /** What `startTestAgent` takes as its target. */
  readonly target: string;
  /** Connections that are open now. */
  readonly open: number;
  readonly server: WebSocketServer;
}

/** Starts an origin whose sockets are handed to `serve`; plain requests go to `answer`, by default for a 200. */
export async function startWebSocketOrigin(
  serve: (socket: WebSocket) => void = echoMessages,
  options: ServerOptions = {},
  answer: RequestListener = (_request, response) => void response.end('plain'),
): Promise<WebSocketOrigin> {
  const sockets = new Set<Socket>();
  const http = createServer(answer);
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const server = new WebSocketServer({ server: http, ...options });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(http, 'listening');
  return {
    target: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    server,
    get open() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => http.close(resolve));
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Sends every message back as it came. */
export function echoMessages(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

/** Opens a WebSocket through an edge's proxy port. */
export async function openWebSocket(
  port: number,
  path = '/chat',
  { host = 'app.test', protocols = [], ...options }: ClientOptions & { host?: string; protocols?: string[] } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers: { Host: host }, ...options });
  await once(socket, 'open');
  return socket;
}

/** Returns the next message. */
export async function nextMessage(socket: WebSocket): Promise<Buffer> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data;
}

/** Returns how the other end closed. */
export async function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}
