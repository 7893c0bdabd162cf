/**
 * A plain HTTP client for integration tests: says what came, and whether the transfer was whole.
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

/** What a request brought. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

/** How a client connects. */
export interface HttpClientOptions {
  /** Connections at most. Default 2,000. */
  readonly maxSockets?: number;
  /** PEM of the CA of `localhost`, for an edge that speaks HTTPS to its clients. Default: plain HTTP. */
  readonly ca?: string | undefined;
}

/** Sends requests to one edge, with Host set to the endpoint. Disposing it drops its connections. */
export class HttpClient {
  readonly #port: number;
  readonly #host: string;
  readonly #agent: Agent;
  readonly #request: typeof request;

  constructor(port: number, host: string, { maxSockets = 2000, ca }: HttpClientOptions = {}) {
    this.#port = port;
    this.#host = host;
    const kept = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, noDelay: true };
    this.#agent = ca === undefined ? new Agent(kept) : new TlsAgent({ ...kept, ca, servername: 'localhost' });
    this.#request = ca === undefined ? request : tlsRequest;
  }

  /** Opens a request whose body the caller writes; `answer` resolves with the response head. */
  open(method: string, path: string, options: RequestOptions = {}) {
    const { headers = {}, ...rest } = options;
    const outgoing = this.#request({
      host: '127.0.0.1',
      port: this.#port,
      agent: this.#agent,
      method,
      path,
      headers: { Host: this.#host, ...(headers as Record<string, string>) },
      ...rest,
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
    });
    answer.catch(() => {});
    return { outgoing, answer };
  }

  /** Sends a request and reads its whole answer; rejects when the transfer breaks. */
  async send(method: string, path: string, body?: Buffer | string, options: RequestOptions = {}): Promise<HttpAnswer> {
    const { outgoing, answer } = this.open(method, path, options);
    outgoing.end(body);
    return readAnswer(await answer);
  }

  get(path: string, options: RequestOptions = {}): Promise<HttpAnswer> {
    return this.send('GET', path, undefined, options);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Reads the body of an answer; rejects when the transfer breaks. */
export async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  if (!response.complete) throw new Error('the response broke off');
  const body = Buffer.concat(chunks);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body,
    text: body.toString(),
  };
}
