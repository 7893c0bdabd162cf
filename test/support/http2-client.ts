/** An HTTP/2 client over TLS: one session, whose streams a test drives itself or lets read. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2';

/** What a stream brought. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly trailers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One session with an edge on this machine. `ask` reads a whole answer and rejects when the stream breaks. */
export class Http2Client implements Disposable {
  readonly session: ClientHttp2Session;
  readonly #authority: string;

  /** @param authority Unless a request's fields say another one. @param ca Of the certificate, which is for localhost; PEM. */
  constructor(port: number, authority: string, ca: string, settings: Settings = {}) {
    this.session = connect(`https://localhost:${port}`, { ca, maxSessionMemory: 100, settings });
    this.session.on('error', () => {});
    this.#authority = authority;
  }

  open(path: string, headers: OutgoingHttpHeaders = {}, endStream = true): ClientHttp2Stream {
    const fields = { ':authority': this.#authority, ':path': path, ...headers };
    const stream = this.session.request(fields, { endStream });
    stream.on('error', () => {});
    return stream;
  }

  async ask(path: string, headers: OutgoingHttpHeaders = {}, body?: Buffer): Promise<Http2Answer> {
    const stream = this.open(path, headers, body === undefined);
    if (body !== undefined) stream.end(body);
    return answerOf(stream);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** Reads a whole answer; rejects when the stream breaks. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let trailers: Http2Answer['trailers'] = {};
  stream.on('trailers', (fields: Http2Answer['trailers']) => {
    trailers = fields;
  });
  const [headers] = (await once(stream, 'response')) as [Http2Answer['headers']];
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('close', () => reject(new Error(`the stream was reset with ${stream.rstCode}`)));
  });
  return { status: Number(headers[':status']), headers, trailers, body: Buffer.concat(chunks) };
}
