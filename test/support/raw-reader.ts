/** Reads a bare socket octet for octet: so many, up to a marker, or all there is. Knows no protocol; raw-http.ts does. */
import type { Socket } from 'node:net';

/** No wait for octets takes longer than this, in milliseconds. */
const deadlineMs = 30_000;

/** Collects what a socket receives from the moment it is made. */
export class RawReader {
  readonly socket: Socket;
  /** Resolves when the socket is closed on both sides, however it came to that. */
  readonly closed: Promise<void>;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #error: Error | undefined;
  #hasFin = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#heldBytes += chunk.length;
      this.#wake();
    });
    socket.on('end', () => {
      this.#hasFin = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#wake());
  }

  /** Why the socket broke; undefined while it has not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** True after the other end's FIN. */
  get hasFin(): boolean {
    return this.#hasFin;
  }

  /** True when nothing more will come, after a FIN or without. */
  get hasEnded(): boolean {
    return this.#hasFin || this.socket.destroyed;
  }

  /** Octets received and not taken yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Returns exactly so many octets. */
  async exactly(bytes: number): Promise<Buffer> {
    await this.#until(() => this.#heldBytes >= bytes, `${bytes} octets`);
    return this.#take(bytes);
  }

  /** Returns everything up to and with the marker. */
  async through(marker: string): Promise<string> {
    await this.#until(() => this.#find(marker) !== -1, JSON.stringify(marker));
    return this.#take(this.#find(marker) + marker.length).toString('latin1');
  }

  /** Returns all that comes until the other end's FIN; rejects when the connection breaks instead. */
  async toEnd(): Promise<Buffer> {
    await this.#until(() => this.#hasFin, 'a FIN');
    return this.#take(this.#heldBytes);
  }

  /** Returns all that comes until nothing more can, after a FIN or without. */
  async rest(): Promise<Buffer> {
    await this.#until(() => this.hasEnded, 'the end');
    return this.#take(this.#heldBytes);
  }

  /** Resolves when an octet is there, or nothing more will come. */
  async moved(): Promise<void> {
    await this.#until(() => this.#heldBytes > 0 || this.hasEnded, 'an octet or the end');
  }

  /** Looks into the first chunk, and joins the others only when the marker is not in it. */
  #find(marker: string): number {
    const inFirst = this.#chunks[0]?.indexOf(marker, 0, 'latin1') ?? -1;
    return inFirst === -1 ? this.#all().indexOf(marker, 0, 'latin1') : inFirst;
  }

  #all(): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    if (this.#chunks.length < 2) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #take(bytes: number): Buffer {
    const [first] = this.#chunks;
    const source = first !== undefined && first.length >= bytes ? first : this.#all();
    this.#chunks[0] = source.subarray(bytes);
    if (this.#chunks[0].length === 0) this.#chunks.shift();
    this.#heldBytes -= bytes;
    return source.subarray(0, bytes);
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!holds()) {
      const leftMs = deadline - Date.now();
      if (this.hasEnded) throw this.#failure(this.#error?.message ?? (this.#hasFin ? 'ended' : 'closed'), what);
      if (leftMs <= 0) throw this.#failure(`silent for ${deadlineMs} ms`, what);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #failure(why: string, what: string): Error {
    const start = JSON.stringify(this.#all().toString('latin1', 0, 200));
    return new Error(`${why} before ${what}, with ${this.#heldBytes} octets: ${start}`);
  }
}
