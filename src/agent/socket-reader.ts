/**
 * Reads a socket to an origin, and hands what comes to whoever uses the connection.
 *
 * Node makes a buffer of 64 KiB for each read of a socket, whatever comes. Plain sockets share one instead, and what came
 * is copied out in its own size: less memory to make and to collect, which in bulk costs more than the copy.
 */
import type { OnReadOpts, Socket } from 'node:net';

/** Octets of one read, at most. */
const readBytes = 64 * 1024;
/** Node reads one socket after the other, so nothing comes into it while somebody looks at it. */
const shared = Buffer.allocUnsafeSlow(readBytes);

/** The reading half of a socket. */
export class SocketReader {
  /** Gets what comes. The buffers are its own. */
  sink: (octets: Buffer) => void;

  constructor(sink: (octets: Buffer) => void) {
    this.sink = sink;
  }

  /** For `net.connect()`. */
  get onread(): OnReadOpts {
    return {
      buffer: shared,
      callback: (bytes) => {
        this.sink(Buffer.from(shared.subarray(0, bytes)));
        return true;
      },
    };
  }

  /** For sockets that cannot read into memory of ours. */
  listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => this.sink(octets));
  }
}
