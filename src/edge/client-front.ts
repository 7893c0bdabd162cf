/**
 * What the proxy port knows of a client connection, whichever version of HTTP it speaks.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { ClientFacts } from '../http/forwarding.ts';
import type { PausedProbe } from '../tunnel/paused-probe.ts';
import type { ExchangeOpener } from './client-ports.ts';
import type { EdgeLimits } from './edge-options.ts';

/** One client connection. */
export interface ClientFront {
  /** Whether a request has come. */
  readonly hasServed: boolean;
  /** Ends an idle connection; a busy one ends behind what it is answering. */
  drain(): void;
  /** Drops the connection; what came of an answer on its way does not look whole. */
  destroy(): void;
  /** Applies the time limits; called about once a second. */
  sweep(nowMs: number): void;
}

/** What a connection needs from its listener. */
export interface ConnectionContext {
  readonly opener: ExchangeOpener;
  readonly limits: EdgeLimits;
  readonly facts: ClientFacts;
  readonly pausedProbe: PausedProbe;
  /** True once the edge drains: every answer is the last one of its connection. */
  isDraining(): boolean;
  /** Why nothing is done for this connection, as when it is above a limit; its first request is answered with it. */
  readonly refusal: GiraffeError | undefined;
  onClosed(connection: ClientFront): void;
}
