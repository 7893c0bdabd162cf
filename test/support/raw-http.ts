/**
 * HTTP/1.1 on bare sockets, for tests that compare octets: a peer that reads what really came, an origin that answers
 * with given octets, and a client. Written without the code under test.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** No wait in a test takes longer than this, in milliseconds. */
const deadlineMs = 20_000;
const headEnd = Buffer.from('\r\n\r\n');

/** How the end of a body was found. */
export type RawFraming = 'none' | 'length' | 'chunked' | 'close';

/** The first line and the field lines, as they stood on the wire, one character per octet. */
export interface RawHead {
  readonly startLine: string;
  readonly lines: readonly string[];
}

/** A whole message. */
export interface RawMessage extends RawHead {
  readonly framing: RawFraming;
  readonly body: Buffer;
  /** Trailer lines of a chunked body. */
  readonly trailers: readonly string[];
}

/** Returns the values of all lines with this name, given in lower case. */
export function valuesOf({ lines }: RawHead, name: string): string[] {
  return lines.filter((line) => lineName(line) === name).map((line) => line.slice(line.indexOf(':') + 1).trim());
}

/** Returns the name of a field line in lower case. */
export function lineName(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase();
}

/** Returns the status of a response. */
export function statusOf({ startLine }: RawHead): number {
  return Number(startLine.split(' ')[1]);
}

/** One end of a connection. */
export class RawPeer implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the socket is closed, however. */
  readonly closed: Promise<void>;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #hasEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      this.#wake();
    });
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#ended());
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  /** True when nothing more will come. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Why the connection broke; undefined while it has not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Octets that came and were not read yet. */
  get unreadBytes(): number {
    return this.#bytes;
  }

  /** Sends text, one octet per character, or octets. */
  write(data: string | Buffer): void {
    this.socket.write(octets(data));
  }

  /** Sends every octet in a packet of its own, as far as the system allows. */
  async writeSlowly(data: string | Buffer): Promise<void> {
    for (const octet of octets(data)) {
      await new Promise<void>((resolve) => this.socket.write(Buffer.from([octet]), () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Reads a head; undefined when the other side has ended before it began. */
  async readHead(): Promise<RawHead | undefined> {
    await this.#until(() => this.#all().includes(headEnd), 'a head');
    if (this.#bytes === 0) return undefined;
    const at = this.#all().indexOf(headEnd);
    if (at === -1) throw new Error(`ended inside a head: ${JSON.stringify(this.#all().toString('latin1'))}`);
    const [startLine = '', ...lines] = this.#take(at).toString('latin1').split('\r\n');
    this.#take(headEnd.length);
    return { startLine, lines };
  }

  /** Reads the body behind a head. `unframed` says what a body without framing fields is. */
  async readBody(head: RawHead, unframed: 'none' | 'close' = 'none'): Promise<RawMessage> {
    if (valuesOf(head, 'transfer-encoding').length > 0) {
      const { body, trailers } = await this.#readChunked();
      return { ...head, framing: 'chunked', body, trailers };
    }
    const [length] = valuesOf(head, 'content-length');
    if (length !== undefined)
      return { ...head, framing: 'length', body: await this.read(Number(length)), trailers: [] };
    const body = unframed === 'close' ? await this.readRest() : Buffer.alloc(0);
    return { ...head, framing: unframed, body, trailers: [] };
  }

  /** Reads a request; undefined when there is none any more. */
  async readRequest(): Promise<RawMessage | undefined> {
    const head = await this.readHead();
    return head && this.readBody(head);
  }

  /** Reads a response, interim ones included, as the answer to a method. */
  async readResponse(method = 'GET'): Promise<RawMessage> {
    const head = await this.readHead();
    if (head === undefined) throw new Error('the connection ended where a response was due');
    const status = statusOf(head);
    const hasNoBody = status < 200 || status === 204 || status === 304 || method === 'HEAD';
    if (hasNoBody) return { ...head, framing: 'none', body: Buffer.alloc(0), trailers: [] };
    return this.readBody(head, 'close');
  }

  /** Reads exactly so many octets. */
  async read(bytes: number): Promise<Buffer> {
    await this.#until(() => this.#bytes >= bytes, `${bytes} octets`);
    if (this.#bytes < bytes) throw new Error(`ended behind ${this.#bytes} of ${bytes} octets`);
    return this.#take(bytes);
  }

  /** Reads to the end. */
  async readRest(): Promise<Buffer> {
    await this.#until(() => false, 'the end');
    return this.#take(this.#bytes);
  }

  /** Resolves when the other side has ended, with everything that was not read. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  async #readChunked(): Promise<{ body: Buffer; trailers: string[] }> {
    const chunks: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#readLine(), 16);
      if (Number.isNaN(size)) throw new Error('a chunk without a size');
      if (size === 0) break;
      chunks.push(await this.read(size));
      if ((await this.#readLine()) !== '') throw new Error('a chunk that is longer than its size');
    }
    const trailers: string[] = [];
    for (let line = await this.#readLine(); line !== ''; line = await this.#readLine()) trailers.push(line);
    return { body: Buffer.concat(chunks), trailers };
  }

  async #readLine(): Promise<string> {
    await this.#until(() => this.#chunks.length > 0 && this.#lineEnd() !== -1, 'a line');
    const at = this.#lineEnd();
    if (at === -1) throw new Error('ended inside a line');
    const line = this.#take(at).toString('latin1');
    this.#take(2);
    return line;
  }

  /** Looks into the first chunk, and joins the others only when the line goes on there. */
  #lineEnd(): number {
    const inFirst = this.#chunks[0]?.indexOf('\r\n') ?? -1;
    return inFirst === -1 ? this.#all().indexOf('\r\n') : inFirst;
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
    this.#bytes -= bytes;
    return source.subarray(0, bytes);
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Waits until the condition holds or nothing more will come. */
  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!condition() && !this.#hasEnded) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`waited ${deadlineMs} ms for ${what}; got ${this.#bytes} octets`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** Connects to a port of this machine. A socket that stays open when the other side ends. */
export async function connectPeer(port: number, host = '127.0.0.1'): Promise<RawPeer> {
  const socket = connect({ port, host, allowHalfOpen: true });
  const peer = new RawPeer(socket);
  await once(socket, 'connect');
  return peer;
}

/** What an origin does with a request whose head came. It reads the body itself and may end the connection. */
export type RawHandler = (head: RawHead, peer: RawPeer) => Promise<void> | void;

/** An origin on a bare socket. */
export interface RecordingOrigin extends AsyncDisposable {
  readonly port: number;
  /** Whole requests that {@link answering} has read, in order. */
  readonly requests: RawMessage[];
  /** Heads of all requests, in order. */
  readonly heads: RawHead[];
  /** Connections that were accepted. */
  readonly peers: readonly RawPeer[];
  /** Looked up for each request, so that a kept connection obeys the test at hand. */
  handle: RawHandler;
  /** Reads each request whole and answers with these octets. */
  answer(octets: string | Buffer | ((request: RawMessage) => string | Buffer)): void;
  /** Forgets the requests so far. */
  reset(): void;
}

/** Starts an origin; it answers 200 without a body until told otherwise. */
export async function startRecordingOrigin(host = '127.0.0.1'): Promise<RecordingOrigin> {
  const peers: RawPeer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    serve(peer).catch(() => socket.destroy());
  });
  const serve = async (peer: RawPeer): Promise<void> => {
    for (let head = await peer.readHead(); head !== undefined; head = await peer.readHead()) {
      origin.heads.push(head);
      await origin.handle(head, peer);
      if (peer.socket.writableEnded) return;
    }
    peer.socket.end();
  };
  server.listen(0, host);
  await once(server, 'listening');
  const origin: RecordingOrigin = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    heads: [],
    peers,
    handle: () => {},
    answer(answer) {
      this.handle = async (head, peer) => {
        const request = await peer.readBody(head);
        this.requests.push(request);
        peer.write(typeof answer === 'function' ? answer(request) : answer);
      };
    },
    reset() {
      this.requests.length = 0;
      this.heads.length = 0;
      this.answer('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    },
    [Symbol.asyncDispose]: async () => {
      for (const peer of peers) peer.socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  origin.reset();
  return origin;
}

function octets(data: string | Buffer): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}
