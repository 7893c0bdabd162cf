/**
 * Sends recorded requests again. Its exchanges go the same way to the origin as all others, and are nobody's figures.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ReplayRequest } from '../inspector/replay-request.ts';
import { minWindowBytes } from '../protocol/receive-window.ts';
import { type ExchangeStart, OriginExchange } from './origin-exchange.ts';
import { ReplayStream } from './replay-stream.ts';

/** Replays at once, a count. */
const maxReplays = 16;
/** Time for a whole replay, in milliseconds: nobody reads it, and an answer may have no end. */
const maxReplayMs = 60_000;

/** Runs replays. */
export class ReplayRunner {
  readonly #running = new Map<OriginExchange, NodeJS.Timeout>();

  /** @throws {GiraffeError} GIR_ERR_REPLAY_REFUSED when too many are running. */
  assertRoom(): void {
    if (this.#running.size < maxReplays) return;
    throw new GiraffeError('GIR_ERR_REPLAY_REFUSED', `${maxReplays} replays are still running`);
  }

  /** Sends a request. */
  run({ endpoint, head, body }: ReplayRequest, start: Pick<ExchangeStart, 'pool' | 'hostHeader' | 'tap'>): void {
    const stream = new ReplayStream();
    const exchange = new OriginExchange({
      ...start,
      stream,
      request: { endpoint, head, windowBytes: 0, upgrade: undefined },
      transport: undefined,
      sizeWindow: () => minWindowBytes,
      onOutcome: () => this.#forget(exchange),
    });
    stream.sink = exchange;
    const giveUp = (): void => exchange.onReset(new GiraffeError('GIR_ERR_CANCELLED', 'the replay took too long'));
    this.#running.set(exchange, setTimeout(giveUp, maxReplayMs).unref());
    const isEmpty = body.length === 0;
    exchange.begin(isEmpty);
    if (isEmpty) return;
    exchange.onData(body);
    exchange.onEnd([]);
  }

  /** Gives up what is running. */
  close(): void {
    for (const exchange of [...this.#running.keys()]) exchange.onReset(new GiraffeError('GIR_ERR_CANCELLED'));
  }

  #forget(exchange: OriginExchange): void {
    clearTimeout(this.#running.get(exchange));
    this.#running.delete(exchange);
  }
}
