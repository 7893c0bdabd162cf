/**
 * HTTP/1.1 on bare sockets, for tests that compare octets: a peer that reads what really came, an origin that answers
 * with given octets, and a client. Written without the code under test.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startSocketOrigin } from './origins.ts';
import { RawReader } from './raw-reader.ts';

const headEnd = '\r\n\r\n';

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

/** One end of a connection that speaks HTTP/1.1. */
export class RawPeer extends RawReader implements AsyncDisposable {
  constructor(socket: Socket) {
    super(socket);
    socket.setNoDelay(true);
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
    await this.moved();
    if (this.heldBytes === 0) return undefined;
    const [startLine = '', ...lines] = (await this.through(headEnd)).slice(0, -headEnd.length).split('\r\n');
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
      return { ...head, framing: 'length', body: await this.exactly(Number(length)), trailers: [] };
    const body = unframed === 'close' ? await this.rest() : Buffer.alloc(0);
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
      chunks.push(await this.exactly(size));
      if ((await this.#readLine()) !== '') throw new Error('a chunk that is longer than its size');
    }
    const trailers: string[] = [];
    for (let line = await this.#readLine(); line !== ''; line = await this.#readLine()) trailers.push(line);
    return { body: Buffer.concat(chunks), trailers };
  }

  async #readLine(): Promise<string> {
    return (await this.through('\r\n')).slice(0, -2);
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
export interface ScriptedOrigin extends AsyncDisposable {
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
export async function startScriptedOrigin(): Promise<ScriptedOrigin> {
  const peers: RawPeer[] = [];
  const serve = async (peer: RawPeer): Promise<void> => {
    for (let head = await peer.readHead(); head !== undefined; head = await peer.readHead()) {
      origin.heads.push(head);
      await origin.handle(head, peer);
      if (peer.socket.writableEnded) return;
    }
    peer.socket.end();
  };
  const sockets = await startSocketOrigin((socket) => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    serve(peer).catch(() => socket.destroy());
  });
  const origin: ScriptedOrigin = {
    port: sockets.port,
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
    [Symbol.asyncDispose]: () => sockets[Symbol.asyncDispose](),
  };
  origin.reset();
  return origin;
}

function octets(data: string | Buffer): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}
