/** Reads a raw socket octet for octet: up to a marker, so many octets, or all there is. */
import type { Socket } from 'node:net';

/** Collects what a socket receives from the moment it is made. */
export class SocketReader {
  readonly socket: Socket;
  /** Why the socket broke, if it did. */
  error: Error | undefined;
  /** True after the other end's FIN. */
  hasEnded = false;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #onChange: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#heldBytes += chunk.length;
      this.#onChange?.();
    });
    socket.on('end', () => {
      this.hasEnded = true;
      this.#onChange?.();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => this.#onChange?.());
  }

  /** Octets received and not taken yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Returns exactly so many octets. */
  async exactly(bytes: number): Promise<Buffer> {
    await this.#until(() => this.#heldBytes >= bytes);
    return this.#take(bytes);
  }

  /** Returns everything up to and with the marker. */
  async through(marker: string): Promise<string> {
    await this.#until(() => this.#all().includes(marker));
    return this.#take(this.#all().indexOf(marker) + marker.length).toString('latin1');
  }

  /** Returns all that comes until the other end finishes. */
  async toEnd(): Promise<Buffer> {
    await this.#until(() => this.hasEnded);
    return this.#take(this.#heldBytes);
  }

  /** Resolves when the socket is closed on both sides, however it came to that. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
  }

  #all(): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    if (this.#chunks.length < 2) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #take(bytes: number): Buffer {
    const all = this.#all();
    this.#chunks = [all.subarray(bytes)];
    this.#heldBytes -= bytes;
    return all.subarray(0, bytes);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.hasEnded || this.socket.destroyed) {
        const what = this.error?.message ?? (this.hasEnded ? 'ended' : 'closed');
        const start = this.#all().toString('latin1', 0, 200);
        throw new Error(`the socket ${what} with ${this.#heldBytes} octets: ${JSON.stringify(start)}`);
      }
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }
}
