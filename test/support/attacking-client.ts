/** A client on a bare socket that stays open, for tests in which the octets of HTTP and the end of a connection matter. */
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** One connection, and everything that came over it. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** What came so far, one character per octet. */
  readonly text: string;
  /** Resolves when the connection is closed, by either end. */
  readonly closed: Promise<void>;
  readonly isClosed: boolean;
  send(text: string | Buffer): void;
  /** Resolves with what came once it contains `part`. */
  until(part: string): Promise<string>;
}

/**
 * Connects to a port of this machine. With `reads: false` it takes nothing until its socket is resumed; `from` is the
 * loopback address that it comes from.
 */
export async function connectRaw(port: number, { reads = true, from = '127.0.0.1' } = {}): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  const chunks: Buffer[] = [];
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on('error', () => {});
  if (!reads) socket.pause();
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const client: RawClient = {
    socket,
    closed,
    get text() {
      return Buffer.concat(chunks).toString('latin1');
    },
    get isClosed() {
      return isClosed;
    },
    send: (text) => void socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text),
    until: async (part) => {
      await eventually(`${JSON.stringify(part)} in what came`, () => client.text.includes(part));
      return client.text;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
  return client;
}

/** Sends `text` on a connection of its own and resolves, when the other end has closed it, with all that came back. */
export async function converse(port: number, text: string | Buffer): Promise<string> {
  using client = await connectRaw(port);
  client.send(text);
  await client.closed;
  return client.text;
}

/** Returns the status codes of all responses in `text`, in order. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((match) => Number(match[1]));
}
