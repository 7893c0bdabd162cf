/**
 * A client on a bare socket, for tests in which octets and ends of connections matter: it writes exactly what a test wants
 * and keeps what comes back. Where whole messages are compared, see raw-http.ts.
 */
import { connect, type Socket } from 'node:net';

/** No wait for a text takes longer than this, in milliseconds. */
const deadlineMs = 30_000;
/** No text that is waited for is longer than this, in octets. */
const maxWantedChars = 1024;

/** How the other end ended its side: with a FIN, or broken off. */
export type RawEnd = 'fin' | 'broken';

/** A connection to a port of this machine. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** All that has arrived, one character per octet. */
  readonly text: string;
  /** Octets that have arrived, kept or not. */
  readonly receivedBytes: number;
  /** Resolves when the other end has ended its side, or the connection broke. */
  readonly ended: Promise<RawEnd>;
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
  readonly isClosed: boolean;
  /** Sends octets, one per character of a string. */
  send(octets: string | Buffer): void;
  /** Resolves with all that has arrived when `wanted` is in it; rejects when the connection ends before. */
  until(wanted: string): Promise<string>;
}

/** What differs from an ordinary client. */
export interface RawClientOptions {
  /** False forgets the octets and only counts them. Default true. */
  readonly keeps?: boolean;
  /** False takes nothing until the socket is resumed. Default true. */
  readonly reads?: boolean;
  /** False ends our side when the other end has ended its own. Default true: it stays open until the test ends it. */
  readonly halfOpen?: boolean;
  /** The loopback address that the client comes from. Default 127.0.0.1. */
  readonly from?: string | undefined;
}

/** Connects; `text` is sent at once. */
export async function rawClient(port: number, text = '', options: RawClientOptions = {}): Promise<RawClient> {
  const { keeps = true, reads = true, halfOpen = true, from } = options;
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: halfOpen, noDelay: true });
  const received = new ReceivedText();
  let receivedBytes = 0;
  if (!reads) socket.pause();
  socket.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    if (keeps) received.add(chunk.toString('latin1'));
  });
  const ended = new Promise<RawEnd>((resolve) => {
    const end = (how: RawEnd) => (): void => {
      received.end();
      resolve(how);
    };
    socket.on('end', end('fin'));
    socket.on('error', end('broken'));
    socket.on('close', end('broken'));
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  if (text !== '') socket.write(text, 'latin1');
  return {
    socket,
    ended,
    closed,
    get isClosed() {
      return socket.closed;
    },
    get text() {
      return received.text;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    send: (octets) => void socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets),
    until: (wanted) => received.until(wanted),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Text that comes in pieces, and those who wait for something in it. Looks at each piece once, however much there is. */
class ReceivedText {
  #pieces: string[] = [];
  #latest = '';
  #hasEnded = false;
  readonly #waiting = new Set<() => void>();

  get text(): string {
    const text = this.#pieces.join('');
    this.#pieces = [text];
    return text;
  }

  add(piece: string): void {
    this.#pieces.push(piece);
    // What is waited for may have begun in the piece before.
    this.#latest = this.#latest.slice(-maxWantedChars) + piece;
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  until(wanted: string): Promise<string> {
    if (this.text.includes(wanted)) return Promise.resolve(this.text);
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => {
        done();
        reject(new Error(`${what} ${JSON.stringify(wanted)}: ${JSON.stringify(this.text.slice(-1000))}`));
      };
      const look = (): void => {
        if (this.#latest.includes(wanted)) {
          done();
          resolve(this.text);
        } else if (this.#hasEnded) fail('the connection ended without');
      };
      const timer = setTimeout(() => fail(`not within ${deadlineMs} ms:`), deadlineMs);
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** Sends octets on a connection of its own and resolves, when the other end has closed it, with all that came back. */
export async function converse(port: number, octets: string | Buffer): Promise<string> {
  using client = await rawClient(port, '', { halfOpen: false });
  client.send(octets);
  await client.closed;
  return client.text;
}

/** A request head for a host, with further field lines as they are to be sent. */
export function requestText(method: string, path: string, host: string, fields: readonly string[] = []): string {
  return [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n');
}

/** Returns the status codes of all responses in `text`, in order. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((match) => Number(match[1]));
}
