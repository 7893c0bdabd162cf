/** Clients that send requests one after the other for as long as a test wants, and keep count of what came of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { HttpClient } from './http-client.ts';

/** A load that goes on until it is stopped. */
export interface SteadyLoad {
  /** Answers with status 200 so far. */
  readonly succeeded: number;
  /** What else came, each in a line. */
  readonly failures: readonly string[];
  /** Resolves when this many more requests have ended. */
  more(requests: number): Promise<void>;
  /** Lets every request end that has begun. */
  stop(): Promise<void>;
}

/** What is sent. */
export interface LoadOptions {
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  /** Clients at once, each with one request under way. Default 10. */
  readonly clients?: number;
  /** What each of them pauses after an answer, in milliseconds. Default: it does not. */
  readonly pauseMs?: number;
  /** See `HttpClientOptions`. */
  readonly ca?: string;
}

/** Starts a load on a proxy port. */
export function startLoad(
  port: number,
  { host = 'app.test', method = 'GET', path = '/', body, clients = 10, pauseMs, ca }: LoadOptions = {},
): SteadyLoad {
  const client = new HttpClient(port, host, { ca });
  const failures: string[] = [];
  const waiting = new Set<() => void>();
  let succeeded = 0;
  let isRunning = true;
  const run = async (): Promise<void> => {
    while (isRunning) {
      try {
        const { status, text } = await client.send(method, path, body);
        if (status === 200) succeeded += 1;
        else failures.push(`${status} ${text}`);
      } catch (error) {
        failures.push(String(error));
      }
      for (const look of [...waiting]) look();
      if (pauseMs !== undefined) await pause(pauseMs);
    }
  };
  const running = Array.from({ length: clients }, run);
  return {
    failures,
    get succeeded() {
      return succeeded;
    },
    more: (requests) => {
      const wanted = succeeded + failures.length + requests;
      return new Promise((resolve) => {
        const look = (): void => {
          if (succeeded + failures.length < wanted) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    stop: async () => {
      isRunning = false;
      await Promise.all(running);
      client[Symbol.dispose]();
    },
  };
}
