/** Raw ends of an upgraded connection: a client that asks for it, and an origin that agrees. */
import type { Socket } from 'node:net';
import { startSocketOrigin } from './origins.ts';
import { connectPeer } from './raw-http.ts';
import { RawReader } from './raw-reader.ts';

/** What a raw upgrade request says. */
export interface UpgradeRequest {
  readonly host?: string;
  readonly path?: string;
  readonly protocol?: string;
  /** Sent in the same write as the request. */
  readonly firstBytes?: string;
}

/** Returns the head of an upgrade request. */
export function upgradeHead({ host = 'app.test', path = '/chat', protocol = 'echo' }: UpgradeRequest = {}): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
}

/** A client's end after the answer's head. */
export interface UpgradedClient extends Disposable {
  readonly socket: Socket;
  readonly reader: RawReader;
  /** The head of the answer. */
  readonly head: string;
}

/** Asks for an upgrade and waits for the head of the answer, whatever it is. */
export async function openUpgrade(port: number, request: UpgradeRequest = {}): Promise<UpgradedClient> {
  const reader = await connectPeer(port);
  const { socket } = reader;
  socket.write(upgradeHead(request) + (request.firstBytes ?? ''), 'latin1');
  const head = await reader.through('\r\n\r\n');
  return { socket, reader, head, [Symbol.dispose]: () => socket.destroy() };
}

/** A raw origin. */
export interface RawOrigin extends AsyncDisposable {
  readonly url: string;
  /** Its ends of the connections, in the order in which they came. */
  readonly sockets: readonly Socket[];
  /** Connections that are open now. */
  readonly open: number;
}

/** The usual agreement. */
export const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

/**
 * Starts an origin that hands out each connection once its request head was read.
 * @param serve Gets the head and the socket's reader; writes the answer itself.
 */
export async function startRawOrigin(
  serve: (reader: RawReader, head: string) => void | Promise<void>,
): Promise<RawOrigin> {
  const sockets: Socket[] = [];
  const origin = await startSocketOrigin((socket) => {
    sockets.push(socket);
    const reader = new RawReader(socket);
    // A client that leaves ends the serving; what that means is for the test.
    const served = reader.through('\r\n\r\n').then((head) => serve(reader, head));
    served.catch(() => socket.destroy());
  });
  return {
    url: `http://${origin.target}`,
    sockets,
    get open() {
      return origin.open.size;
    },
    [Symbol.asyncDispose]: () => origin[Symbol.asyncDispose](),
  };
}

/** Agrees to the upgrade and sends back what comes, with half-close. */
export function echo(reader: RawReader): void {
  reader.socket.write(switching);
  reader.socket.pipe(reader.socket);
}
