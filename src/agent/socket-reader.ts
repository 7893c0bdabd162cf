/**
 * Reads a socket to an origin, and hands what comes to whoever uses the connection.
 *
 * Node makes a buffer of 64 KiB for each read of a socket, whatever comes. Of plain sockets, most of whose reads are small,
 * all share one, and what is to be kept is copied out; one that has filled it gets memory of its own for what follows.
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
  #buffer = shared;

  constructor(sink: (octets: Buffer) => void) {
    this.sink = sink;
  }

  /** For `net.connect()`. */
  get onread(): OnReadOpts {
    return {
      buffer: () => this.#buffer,
      callback: (bytes) => {
        this.#read(bytes);
        return true;
      },
    };
  }

  /** For sockets that cannot read into memory of ours. */
  listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => this.sink(octets));
  }

  #read(bytes: number): void {
    const isLarge = bytes * 2 >= readBytes;
    const octets = this.#buffer.subarray(0, bytes);
    const isOwn = this.#buffer !== shared;
    this.#buffer = isLarge ? Buffer.allocUnsafeSlow(readBytes) : shared;
    this.sink(isLarge && isOwn ? octets : Buffer.from(octets));
  }
}
