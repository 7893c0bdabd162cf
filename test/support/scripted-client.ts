/**
 * A client that writes exactly the octets a test wants and keeps what comes back. For tests where bytes matter.
 */
import { connect, type Socket } from 'node:net';

/** A connection to an edge's proxy port. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** All that has arrived, latin1. */
  readonly received: string;
  /** Octets that have arrived. */
  readonly receivedBytes: number;
  /** Resolves when `received` holds `text`; rejects when the connection ends before. */
  until(text: string): Promise<string>;
  /** Resolves when the edge has ended its side or the connection broke. */
  readonly ended: Promise<RawEnd>;
}

/** How a connection ended: with a FIN, or broken off. */
export type RawEnd = 'fin' | 'broken';

/** What a raw client does with octets it receives. */
export interface RawClientOptions {
  /** False forgets the octets and only counts them. Default true. */
  readonly keeps?: boolean;
}

/** Connects; `text` is sent at once. The client's side stays open until the test ends it. */
export async function rawClient(port: number, text = '', { keeps = true }: RawClientOptions = {}): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let received = '';
  let receivedBytes = 0;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  socket.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    if (keeps) received += chunk.toString('latin1');
    wake();
  });
  let hasEnded = false;
  const ended = new Promise<RawEnd>((resolve) => {
    const end = (how: RawEnd) => (): void => {
      hasEnded = true;
      resolve(how);
      wake();
    };
    socket.on('end', end('fin'));
    socket.on('error', end('broken'));
    socket.on('close', end('broken'));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  if (text !== '') socket.write(text, 'latin1');
  return {
    socket,
    ended,
    get received() {
      return received;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (received.includes(wanted)) {
            waiting.delete(look);
            resolve(received);
          } else if (hasEnded) {
            waiting.delete(look);
            reject(new Error(`the connection ended without ${JSON.stringify(wanted)}: ${JSON.stringify(received)}`));
          }
        };
        waiting.add(look);
        look();
      }),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** A request head for a host, with further field lines as they are to be sent. */
export function requestText(method: string, path: string, host: string, fields: readonly string[] = []): string {
  return [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n');
}
