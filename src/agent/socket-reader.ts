/**
 * Reads a socket to an origin, and hands what comes to whoever uses the connection.
 *
 * Node makes a buffer of 64 KiB for each read of a socket, whatever comes: in bulk, collecting them costs more than all the
 * rest. Plain sockets share one instead.
 */
import type { OnReadOpts, Socket } from 'node:net';

/** Octets of one read, at most. */
const readBytes = 64 * 1024;
/** Node reads one socket after the other, so nothing comes into it while somebody looks at it. */
const shared = Buffer.allocUnsafeSlow(readBytes);

/** The reading half of a socket. */
export class SocketReader {
  /** Gets what comes. The buffers are only lent: what is kept must be copied. */
  sink: (octets: Buffer) => void;

  constructor(sink: (octets: Buffer) => void) {
    this.sink = sink;
  }

  /** For `net.connect()`. */
  get onread(): OnReadOpts {
    return {
      buffer: shared,
      callback: (bytes) => {
        this.sink(shared.subarray(0, bytes));
        return true;
      },
    };
  }

  /** For sockets that cannot read into memory of ours. */
  listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => this.sink(octets));
  }
}
