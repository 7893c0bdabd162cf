/** What sends one request at a time, whatever the protocol: the port between the pace of a load and its sockets. */
import type { FailureKind } from './failure-kind.ts';

/** Told once per call. @param status Of the answer; 0 when there is none. @param failure Undefined when it went well. */
export type Done = (status: number, failure: FailureKind | undefined) => void;

/** One connection's worth of load. */
export interface Caller {
  /** Connects, so that the first call need not. Never rejects: a call tells better what is wrong. */
  open(): Promise<void>;
  /** Sends one request, over a new connection if need be. One at a time. */
  call(done: Done): void;
  /** Gives up the call under way without telling, and its connection with it. */
  abort(): void;
  /** Ends the connection. */
  close(): void;
}
