/**
 * The origin of a load: answers octets, takes uploads, holds requests open, echoes WebSocket messages.
 *
 * Tells when a request was cut off before its answer was whole, with the time on the machine's monotonic clock, so that
 * another process can compare.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { bodyPiece } from './request-template.ts';

/** Field by which a request says under which name its end is told. */
export const loadIdField = 'x-load-id';

/** A request that its client has left. */
export interface Departure {
  readonly id: string;
  /** `process.hrtime.bigint()` when the origin knew, as text. */
  readonly atNanos: string;
}

/** A running origin. */
export interface LoadOrigin extends AsyncDisposable {
  readonly port: number;
}

/** What an origin tells of its requests. */
export interface LoadOriginEvents {
  /** A request with a {@link loadIdField} has arrived. */
  onArrival(id: string): void;
  onDeparture(departure: Departure): void;
}

/** Octets of a body that is held open. */
const heldBodyBytes = 64;
/** Longer than any pause of a load, in milliseconds. */
const keepAliveMs = 120_000;

/**
 * Starts an origin on a free loopback port. Paths: `/bytes/N` answers N octets, `/delay/MS` a few after so long, `/hold`
 * never answers, `/hold-body` never ends its answer; a WebSocket on any path is echoed. A request body is read first.
 */
export async function startLoadOrigin(events: LoadOriginEvents): Promise<LoadOrigin> {
  const server = createServer((request, response) => {
    watch(request, response, events);
    answer(request, response);
  });
  server.keepAliveTimeout = keepAliveMs;
  server.requestTimeout = 0;
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 0 });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => socket.terminate());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function watch(request: IncomingMessage, response: ServerResponse, events: LoadOriginEvents): void {
  const id = request.headers[loadIdField];
  if (typeof id !== 'string') return;
  events.onArrival(id);
  response.once('close', () => {
    if (!response.writableFinished) events.onDeparture({ id, atNanos: String(process.hrtime.bigint()) });
  });
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, kind = '', number = '0'] = (request.url ?? '').split('/');
  if (hasBody(request)) {
    request.resume();
    request.once('end', () => respond(response, kind, Number(number)));
    return;
  }
  respond(response, kind, Number(number));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function respond(response: ServerResponse, kind: string, number: number): void {
  switch (kind) {
    case 'bytes':
      sendBytes(response, Number.isSafeInteger(number) && 0 <= number ? number : 0);
      return;
    case 'delay':
      setTimeout(() => response.end('late\n'), number);
      return;
    case 'hold':
      return;
    case 'hold-body':
      response.write(bodyPiece.subarray(0, heldBodyBytes));
      return;
    default:
      response.end('giraffe\n');
  }
}

function sendBytes(response: ServerResponse, bytes: number): void {
  response.setHeader('Content-Length', bytes);
  let left = bytes;
  const send = (): void => {
    while (bodyPiece.length < left) {
      left -= bodyPiece.length;
      if (response.write(bodyPiece)) continue;
      response.once('drain', send);
      return;
    }
    response.end(bodyPiece.subarray(0, left));
  };
  send();
}
