/** Opens WebSockets, and tells a refusal as what it is: an answer. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { readAnswer } from '../test/support/http-client.ts';
import { answered, failureOf } from './failure.ts';

/** Resolves with an open WebSocket; rejects with a WorkFailure. */
export async function openCheckedWebSocket(url: string, options: ClientOptions): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      readAnswer(response).then(({ status, headers, text }) => reject(answered(status, headers, text)), reject);
    });
  });
  try {
    await Promise.race([once(socket, 'open'), refused]);
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.terminate();
    throw failureOf(error);
  }
}
