/**
 * An HTTP/2 client of bare frames: opens and resets hundreds of streams in one write, which costs it next to nothing, and
 * notes what the other end says beside its settings. Reads no answers.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

const frameHeadBytes = 9;
const [headersType, resetType, settingsType, windowType] = [1, 3, 4, 8];
/** END_STREAM and END_HEADERS. */
const wholeRequest = 5;
const acknowledgement = 1;
const cancelCode = Buffer.from([0, 0, 0, 8]);

/** What a client sends first: the preface and SETTINGS without a setting. */
export const http2Preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  http2Frame(settingsType, 0, 0),
]);

/** Returns a frame (RFC 9113 section 4.1). */
export function http2Frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A GET over https in HPACK, without compression (RFC 7541 appendix A has the indexes). */
function getHeaders(path: string, authority: string): Buffer {
  const literal = (index: number, text: string): Buffer =>
    Buffer.concat([Buffer.from([index, text.length]), Buffer.from(text, 'latin1')]);
  return Buffer.concat([Buffer.from([0x82, 0x87]), literal(4, path), literal(1, authority)]);
}

/** One connection. Its streams are numbered from 1. */
export class RawHttp2Client implements Disposable {
  /** Types of the frames that came which are neither SETTINGS nor WINDOW_UPDATE: answers, resets, GOAWAY. */
  readonly heard: number[] = [];
  readonly #socket: TLSSocket;
  #pending = Buffer.alloc(0);
  #nextId = 1;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.write(Buffer.concat([http2Preface, http2Frame(settingsType, acknowledgement, 0)]));
  }

  /** Connects to `localhost`, whose certificate is of this CA. */
  static async connect(port: number, ca: string): Promise<RawHttp2Client> {
    const socket = connect({ port, host: 'localhost', ca, ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    return new RawHttp2Client(socket);
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }

  /** Sends so many GETs at once; returns the ids of their streams. */
  open(count: number, path: string, authority: string): number[] {
    const ids = Array.from({ length: count }, (_, index) => this.#nextId + 2 * index);
    this.#nextId += 2 * count;
    const headers = getHeaders(path, authority);
    this.#socket.write(Buffer.concat(ids.map((id) => http2Frame(headersType, wholeRequest, id, headers))));
    return ids;
  }

  /** Gives streams up, all at once. */
  cancel(ids: readonly number[]): void {
    this.#socket.write(Buffer.concat(ids.map((id) => http2Frame(resetType, 0, id, cancelCode))));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= frameHeadBytes) {
      const endAt = frameHeadBytes + this.#pending.readUIntBE(0, 3);
      if (this.#pending.length < endAt) return;
      const type = this.#pending.readUInt8(3);
      if (type !== settingsType && type !== windowType) this.heard.push(type);
      this.#pending = this.#pending.subarray(endAt);
    }
  }
}
