/**
 * One client connection of a load: sends the same HTTP/1.1 request again and again over a raw socket.
 *
 * Reads answers with the strict parser, so that a broken one counts as failed. Never sends a request twice by itself: a
 * connection that the other side closed between two requests is replaced, one that it closes under a request is a failure.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ResponseHead } from '../http/message.ts';
import { ResponseParser } from '../http/response-parser.ts';
import type { Caller, Done } from './caller.ts';
import { type FailureKind, failureOfError, failureOfStatus } from './failure-kind.ts';
import type { Traffic } from './load-record.ts';
import { bodyPiece, type RequestTemplate } from './request-template.ts';

/** Where a connection goes. */
export interface Address {
  /** IP address. */
  readonly address: string;
  readonly port: number;
  /** How TLS is made; undefined for none. */
  readonly tls: TlsSettings | undefined;
}

/** How a server's certificate is checked. */
export interface TlsSettings {
  /** Name to verify; undefined where the URL has an address, which is then verified. */
  readonly serverName: string | undefined;
  /** PEM; undefined for the system's. */
  readonly ca: string | undefined;
  readonly isVerified: boolean;
}

/** What a caller sends, and where it counts. */
export interface HttpCallerOptions {
  readonly address: Address;
  readonly request: RequestTemplate;
  readonly keepAlive: boolean;
  /** Asked at each event, because a warm-up counts elsewhere. */
  readonly traffic: () => Traffic;
}

/** Opens a connection. */
export function openSocket({ address, port, tls }: Address): Socket {
  const where = { host: address, port };
  if (tls === undefined) return connectTcp({ ...where, noDelay: true });
  const { serverName, ca, isVerified } = tls;
  const socket = connectTls({
    ...where,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: isVerified,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(ca === undefined ? {} : { ca }),
  });
  socket.setNoDelay(true);
  return socket;
}

/** A caller over HTTP/1.1. */
export class HttpCaller implements Caller {
  readonly #options: HttpCallerOptions;
  #connection: Connection | undefined;

  constructor(options: HttpCallerOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    if (!this.#options.keepAlive || this.#connection?.isUsable === true) return;
    const connection = this.#connect();
    await connection.opened;
  }

  call(done: Done): void {
    const connection = this.#connection?.isUsable === true ? this.#connection : this.#connect();
    connection.exchange(done);
  }

  abort(): void {
    this.close();
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  #connect(): Connection {
    this.#connection?.destroy();
    this.#connection = new Connection(this.#options);
    return this.#connection;
  }
}

/** One socket and the exchange on it. */
class Connection {
  /** Resolves when it is connected or has failed. */
  readonly opened: Promise<void>;
  readonly #options: HttpCallerOptions;
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  #done: Done | undefined;
  #failure: FailureKind | undefined;
  #status = 0;
  #persists = true;
  #restBytes = 0;
  #isOver = false;

  constructor(options: HttpCallerOptions) {
    this.#options = options;
    this.#parser = new ResponseParser({
      onHead: (head) => this.#onHead(head),
      onBody: () => undefined,
      onEnd: () => undefined,
    });
    const socket = openSocket(options.address);
    this.#socket = socket;
    this.opened = new Promise((resolve) => {
      socket.once(options.address.tls === undefined ? 'connect' : 'secureConnect', resolve);
      socket.once('close', () => resolve());
    });
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) => this.#fail(failureOfError(error)));
    socket.on('close', () => this.#fail(this.#failure ?? 'closed'));
    socket.on('drain', () => this.#sendBody());
  }

  get isUsable(): boolean {
    return !this.#isOver && this.#persists && this.#parser.restBytes === 0;
  }

  exchange(done: Done): void {
    const { request, traffic } = this.#options;
    this.#done = done;
    this.#status = 0;
    this.#parser.expect(request.method);
    this.#restBytes = request.restBytes;
    traffic().sentBytes += request.start.length;
    this.#socket.write(request.start);
    if (0 < request.restBytes) this.#sendBody();
    // A socket that failed before it was asked does not tell again.
    if (this.#isOver) queueMicrotask(() => this.#settle(this.#failure ?? 'closed'));
  }

  destroy(): void {
    this.#done = undefined;
    this.#isOver = true;
    this.#socket.destroy();
  }

  #sendBody(): void {
    while (0 < this.#restBytes && !this.#isOver) {
      const piece = this.#restBytes < bodyPiece.length ? bodyPiece.subarray(0, this.#restBytes) : bodyPiece;
      this.#restBytes -= piece.length;
      this.#options.traffic().sentBytes += piece.length;
      if (!this.#socket.write(piece)) return;
    }
  }

  #onHead(head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) return;
    this.#status = head.status;
    this.#persists = this.#options.keepAlive && head.body.kind !== 'until-close' && persists(head);
  }

  #onData(chunk: Buffer): void {
    this.#options.traffic().receivedBytes += chunk.length;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#fail(failureOfError(error));
      return;
    }
    const { state } = this.#parser;
    if (state === 'complete') this.#complete();
    else if (state === 'stopped') this.#fail('protocol');
  }

  #onEnd(): void {
    try {
      this.#parser.finish();
    } catch (error) {
      this.#fail(failureOfError(error));
      return;
    }
    if (this.#done !== undefined && this.#parser.state === 'complete') this.#complete();
    else this.#fail('closed');
  }

  #complete(): void {
    // An answer that comes before the whole request leaves the connection in the middle of a message.
    if (!this.#persists || 0 < this.#restBytes) this.#over();
    this.#settle(failureOfStatus(this.#status));
  }

  #fail(kind: FailureKind): void {
    if (this.#isOver) return;
    this.#failure = kind;
    this.#over();
    this.#settle(kind);
  }

  #over(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #settle(failure: FailureKind | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(this.#status, failure);
  }
}

/** Whether another request may follow on the connection (RFC 9112 section 9.3). */
function persists({ minorVersion, fields }: ResponseHead): boolean {
  let result = minorVersion === 1;
  for (const [name, value] of fields) {
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const options = value.toLowerCase();
    if (options.includes('close')) return false;
    if (options.includes('keep-alive')) result = true;
  }
  return result;
}
