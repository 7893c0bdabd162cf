/** Clients that speak HTTP/1.1 in the clear, over connections that they keep. */
import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { HttpClient } from '../test/support/http-client.ts';
import { failureOf } from './failure.ts';
import type { Answer, Ask, Front } from './front.ts';
import { openCheckedWebSocket } from './websocket.ts';

/** The clients of one proxy port. */
export class Http1Front implements Front {
  readonly rawPort: number;
  #clients = new Map<string, HttpClient>();

  constructor(port: number) {
    this.rawPort = port;
  }

  async ask({ host, method, path, headers = {}, body, onData, signal }: Ask): Promise<Answer> {
    const options = { headers, ...(signal === undefined ? {} : { signal }) };
    const { outgoing, answer } = this.#client(host).open(method, path, options);
    outgoing.on('error', () => {});
    let hasBegun = false;
    try {
      void sendPieces(outgoing, body ?? []);
      const response = await answer;
      hasBegun = true;
      const pieces: Buffer[] = [];
      for await (const piece of response) {
        pieces.push(piece as Buffer);
        await onData?.(piece as Buffer);
      }
      return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) };
    } catch (error) {
      throw failureOf(error, hasBegun);
    } finally {
      // An answer that did not wait for the whole request.
      if (!outgoing.writableFinished) outgoing.destroy();
    }
  }

  openWebSocket(host: string, path: string): Promise<WebSocket> {
    return openCheckedWebSocket(`ws://127.0.0.1:${this.rawPort}${path}`, { headers: { Host: host } });
  }

  renew(): void {
    for (const client of this.#clients.values()) client[Symbol.dispose]();
    this.#clients.clear();
  }

  [Symbol.dispose](): void {
    this.renew();
  }

  #client(host: string): HttpClient {
    const client = this.#clients.get(host) ?? new HttpClient(this.rawPort, host);
    this.#clients.set(host, client);
    return client;
  }
}

/** Sends a body, each piece when the one before has left, and ends it; stops when the other end does not want it. */
export async function sendPieces(outgoing: Writable, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (outgoing.destroyed) return;
    await new Promise((resolve) => outgoing.write(piece, resolve));
  }
  if (!outgoing.destroyed) outgoing.end();
}
