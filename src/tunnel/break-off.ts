/**
 * Ends a connection so that what came over it does not look whole.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Closes a connection at once, and so that its other end cannot take what it got for all there was: with an RST where
 * there is one. TLS says the same by a missing close_notify; a Unix socket has no way to say it.
 */
export function breakOff(socket: Socket): void {
  const isTcp = !(socket instanceof TLSSocket) && socket.remoteAddress !== undefined;
  if (isTcp) socket.resetAndDestroy();
  else socket.destroy();
}
