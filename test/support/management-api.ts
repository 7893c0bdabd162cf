/** A client of the management API of an edge that runs as a process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** One server-sent event. */
export interface ToldEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Asks one edge. */
export class ManagementApi {
  readonly url: string;
  /** Sent with every request; the admin token of the state folder. */
  readonly token: string;

  constructor(port: number, stateDir: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.token = readFileSync(join(stateDir, 'admin-token'), 'utf8').trim();
  }

  send(path: string, init: { readonly method?: string; readonly body?: string } = {}, token = this.token) {
    const headers = { Authorization: `Bearer ${token}`, ...(init.body === undefined ? {} : jsonType) };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  async json(path: string): Promise<Readonly<Record<string, unknown>>> {
    return (await (await this.send(path)).json()) as Readonly<Record<string, unknown>>;
  }

  /** Follows the live events until it is disposed of. */
  async events(): Promise<EventFollower> {
    const abort = new AbortController();
    const response = await fetch(`${this.url}/api/v1/events`, {
      headers: { Authorization: `Bearer ${this.token}` },
      signal: abort.signal,
    });
    return new EventFollower(response.body as ReadableStream<Uint8Array>, abort);
  }
}

const jsonType = { 'Content-Type': 'application/json' };

/** The events that came. */
export class EventFollower implements Disposable {
  readonly #abort: AbortController;
  #text = '';

  constructor(body: ReadableStream<Uint8Array>, abort: AbortController) {
    this.#abort = abort;
    void this.#read(body);
  }

  get events(): ToldEvent[] {
    const blocks = this.#text.split('\n\n').slice(0, -1);
    return blocks.flatMap((block) => {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      return data === undefined ? [] : [JSON.parse(data) as ToldEvent];
    });
  }

  /** Resolves with the first event of a name, past or future. */
  async event(name: string): Promise<ToldEvent> {
    const find = (): ToldEvent | undefined => this.events.find(({ event }) => event === name);
    await eventually(`the event ${name}`, () => find() !== undefined);
    return find() as ToldEvent;
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        this.#text += decoder.decode(chunk, { stream: true });
      }
    } catch {
      // Ended from either side.
    }
  }
}
