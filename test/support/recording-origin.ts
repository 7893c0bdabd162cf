/** An origin that records each octet it gets, and answers each head with the same octets. */
import type { Socket } from 'node:net';
import { startSocketOrigin } from './origins.ts';

/** A listening origin. */
export interface RecordingOrigin extends AsyncDisposable {
  readonly port: number;
  /** What each connection sent, in the order in which they were opened, one character per octet. */
  readonly received: readonly string[];
  /** Everything that any connection sent. */
  readonly text: string;
  /** Connections that are open now, a count. */
  readonly open: number;
}

/** A complete answer without anything special. */
export const plainAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * Starts an origin that answers whenever an empty line has come in.
 * @param answer The octets of the answer, or what to do with the connection instead.
 */
export async function startRecordingOrigin(
  answer: string | Buffer | ((socket: Socket, head: string) => void) = plainAnswer,
): Promise<RecordingOrigin> {
  const received: string[] = [];
  const origin = await startSocketOrigin((socket) => {
    const index = received.push('') - 1;
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      received[index] += text;
      if (!text.includes('\r\n\r\n')) return;
      if (typeof answer === 'function') answer(socket, text);
      else socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
    });
  });
  return {
    port: origin.port,
    received,
    get text() {
      return received.join('');
    },
    get open() {
      return origin.open.size;
    },
    [Symbol.asyncDispose]: () => origin[Symbol.asyncDispose](),
  };
}
