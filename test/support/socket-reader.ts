/** Reads a raw socket octet for octet: up to a marker, so many octets, or all there is. */
import type { Socket } from 'node:net';

/** Collects what a socket receives from the moment it is made. */
export class SocketReader {
  readonly socket: Socket;
  /** Why the socket broke, if it did. */
  error: Error | undefined;
  /** True after the other end's FIN. */
  hasEnded = false;
  #held: Buffer = Buffer.alloc(0);
  #onChange: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
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
    return this.#held.length;
  }

  /** Returns exactly so many octets. */
  async exactly(bytes: number): Promise<Buffer> {
    await this.#until(() => this.#held.length >= bytes);
    return this.#take(bytes);
  }

  /** Returns everything up to and with the marker. */
  async through(marker: string): Promise<string> {
    await this.#until(() => this.#held.includes(marker));
    return this.#take(this.#held.indexOf(marker) + marker.length).toString('latin1');
  }

  /** Returns all that comes until the other end finishes. */
  async toEnd(): Promise<Buffer> {
    await this.#until(() => this.hasEnded);
    return this.#take(this.#held.length);
  }

  /** Resolves when the socket is closed on both sides, however it came to that. */
  async closed(): Promise<void> {
    if (!this.socket.destroyed) await new Promise((resolve) => this.socket.once('close', resolve));
  }

  #take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.hasEnded || this.socket.destroyed) {
        const what = this.error?.message ?? (this.hasEnded ? 'ended' : 'closed');
        throw new Error(`the socket ${what} with ${this.#held.length} octets: ${this.#held.toString('latin1').slice(0, 300)}`);
      }
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }
}
