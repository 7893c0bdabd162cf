/** The port between the work and the clients that do it: HTTP/1.1 or HTTP/2, in the clear or over TLS. */
import type { IncomingHttpHeaders } from 'node:http';
import type { WebSocket } from 'ws';

/** A request. */
export interface Ask {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in pieces, each when the one before has been taken. */
  readonly body?: Iterable<Buffer>;
  /** Called with each piece of the answer's body; a promise holds back the next one. */
  readonly onData?: (piece: Buffer) => Promise<void> | undefined;
  /** Gives up when it says so. */
  readonly signal?: AbortSignal;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Clients of one edge. */
export interface Front extends Disposable {
  /** Sends a request and reads the whole answer, whatever its status. Rejects with a WorkFailure. */
  ask(request: Ask): Promise<Answer>;
  /** Opens a WebSocket. Rejects with a WorkFailure. */
  openWebSocket(host: string, path: string): Promise<WebSocket>;
  /** Port for bare sockets; undefined where clients speak TLS. */
  readonly rawPort: number | undefined;
  /** Forgets all connections: the edge behind the port is another one. */
  renew(): void;
}
