/**
 * Clients that speak HTTP/2 over TLS: a few sessions that all work shares, as browsers do. WebSockets go over HTTP/1.1.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { WebSocket } from 'ws';
import { Http2Client } from '../test/support/http2-client.ts';
import { failureOf } from './failure.ts';
import type { Answer, Ask, Front } from './front.ts';
import { sendPieces } from './http1-front.ts';
import { openCheckedWebSocket } from './websocket.ts';

/** Sessions at once, a count. */
const sessionCount = 3;

/** The clients of one proxy port. */
export class Http2Front implements Front {
  readonly rawPort = undefined;
  readonly #port: number;
  readonly #ca: string;
  #sessions: Http2Client[] = [];
  #turn = 0;

  /** @param ca Of the edge's certificate, PEM. */
  constructor(port: number, ca: string) {
    this.#port = port;
    this.#ca = ca;
  }

  async ask({ host, method, path, headers = {}, body, onData, signal }: Ask): Promise<Answer> {
    let stream: ClientHttp2Stream | undefined;
    const cancel = (): void => stream?.close(constants.NGHTTP2_CANCEL);
    try {
      const fields = { ':authority': host, ':method': method, ...headers };
      stream = this.#session().open(path, fields, body === undefined);
      signal?.addEventListener('abort', cancel);
      if (body !== undefined) void sendPieces(stream, body);
      return await read(stream, onData);
    } catch (error) {
      throw failureOf(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      // An answer that did not wait for the whole request.
      if (stream?.writableFinished === false) cancel();
    }
  }

  openWebSocket(host: string, path: string): Promise<WebSocket> {
    const options = { ca: this.#ca, servername: 'localhost', headers: { Host: host } };
    return openCheckedWebSocket(`wss://127.0.0.1:${this.#port}${path}`, options);
  }

  renew(): void {
    // Without an error, what is in flight would look whole.
    for (const client of this.#sessions) client?.session.destroy(new Error('the edge is gone'));
    this.#sessions = [];
  }

  [Symbol.dispose](): void {
    this.renew();
  }

  #session(): Http2Client {
    this.#turn = (this.#turn + 1) % sessionCount;
    const known = this.#sessions[this.#turn];
    if (known !== undefined && !known.session.closed && !known.session.destroyed) return known;
    const client = new Http2Client(this.#port, 'localhost', this.#ca);
    this.#sessions[this.#turn] = client;
    // It takes no more streams; those that it has may end.
    client.session.once('goaway', () => client.session.close());
    return client;
  }
}

/** Reads a whole answer. Not by iteration, which takes a reset behind the answer for its loss (RFC 9113 section 8.1). */
async function read(stream: ClientHttp2Stream, onData: Ask['onData']): Promise<Answer> {
  let headers: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
  let cause: Error | undefined;
  let hasEnded = false;
  const pieces: Buffer[] = [];
  stream.on('response', (fields) => {
    headers = fields;
  });
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
    const pause = onData?.(piece);
    if (pause === undefined) return;
    stream.pause();
    void pause.then(() => stream.resume());
  });
  stream.on('error', (error) => {
    cause = error;
  });
  await new Promise<void>((resolve) => {
    stream.once('end', () => {
      hasEnded = true;
      // The other direction may stay open for long.
      if (!stream.writableFinished) resolve();
    });
    stream.once('close', resolve);
  });
  const { ':status': status } = headers;
  const isWhole = hasEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR;
  if (status !== undefined && isWhole) return { status, headers, body: Buffer.concat(pieces) };
  throw failureOf(cause ?? new Error(`reset with ${stream.rstCode}`), status !== undefined);
}
