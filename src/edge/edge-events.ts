/**
 * What happens at an edge, for whoever watches it live. Nobody watching costs one comparison for each exchange.
 */
import type { Transport } from '../extension/routing-strategy.ts';
import type { BreakerState } from './policy/circuit-breaker.ts';

/** Which carriers of a session are up. */
export type SessionMode = 'hybrid' | 'grpc' | 'tcp';

/** What every event of a session says. */
export interface SessionFacts {
  readonly sessionId: string;
  readonly agentId: string;
  readonly domains: readonly string[];
}

/** One thing that happened. */
export type EdgeEvent =
  | ({ readonly type: 'session-opened'; readonly mode: SessionMode } & SessionFacts)
  /** A carrier came or went while the session goes on. */
  | ({ readonly type: 'session-mode'; readonly mode: SessionMode } & SessionFacts)
  /** `code` says why; undefined when the agent left. */
  | ({ readonly type: 'session-closed'; readonly code: string | undefined } & SessionFacts)
  /** The operator took `domain` from a session that goes on with its other ones. */
  | ({ readonly type: 'session-withdrawn'; readonly domain: string; readonly code: string } & SessionFacts)
  | {
      readonly type: 'exchange';
      readonly requestId: string;
      readonly domain: string;
      readonly method: string;
      /** Without its query. */
      readonly path: string;
      readonly client: string;
      /** Status the client got; undefined when it got none. */
      readonly status: number | undefined;
      /** Why it failed; undefined when it went well. */
      readonly code: string | undefined;
      readonly transport: Transport | undefined;
      readonly sessionId: string | undefined;
      readonly durationMs: number;
      readonly requestBytes: number;
      readonly responseBytes: number;
      readonly isRelay: boolean;
    }
  | { readonly type: 'breaker'; readonly domain: string; readonly state: BreakerState }
  /** The edge takes nothing new and will close. */
  | { readonly type: 'draining' };

/** Hears of events, in order and at once. It must not throw and must not block. */
export type EdgeListener = (event: EdgeEvent) => void;

/** Tells events to listeners. */
export class EdgeEvents {
  readonly #listeners = new Set<EdgeListener>();

  /** Whether anybody listens; nobody needs to make an event otherwise. */
  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  emit(event: EdgeEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Calls `listener` from now on, until the returned function is called. */
  subscribe(listener: EdgeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
