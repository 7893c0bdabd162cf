/**
 * Sends octets and returns what came back, for tests where bytes matter.
 */
import { connect } from 'node:net';

/** Sends text, one octet per character, and resolves with everything that came until the other side ended. */
export function exchangeRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(text, 'latin1');
  });
}
