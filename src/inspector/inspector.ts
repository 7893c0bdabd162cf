/**
 * The inspector of an agent: what it recorded, and who can send a request again.
 *
 * It outlives the agents of a process, which come and go when the configuration is read again.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { ExchangeStore, type StoreLimits } from './exchange-store.ts';
import { type ReplayEdits, type ReplayRequest, replayRequest } from './replay-request.ts';

/** Sends requests to origins. */
export interface Replayer {
  /**
   * Sends a request, which is recorded as any other; returns the id of its record, or undefined when it has no such
   * endpoint.
   * @throws {GiraffeError} GIR_ERR_REPLAY_REFUSED when too many are running.
   */
  replay(request: ReplayRequest): string | undefined;
}

/** Records exchanges and repeats them. */
export class Inspector {
  readonly store: ExchangeStore;
  readonly #replayers = new Set<Replayer>();

  constructor(limits: StoreLimits) {
    this.store = new ExchangeStore(limits);
  }

  /** Makes an agent known that can send requests, until the result is disposed. */
  attach(replayer: Replayer): Disposable {
    this.#replayers.add(replayer);
    return { [Symbol.dispose]: () => this.#replayers.delete(replayer) };
  }

  /**
   * Sends a recorded request again and returns the id of the record of that.
   *
   * @throws {GiraffeError} GIR_ERR_API_PATH for an unknown id, GIR_ERR_API_BODY for edits that are no request,
   *   GIR_ERR_REPLAY_REFUSED when it cannot be sent.
   */
  replay(id: string, edits: ReplayEdits): string {
    const record = this.store.get(id);
    if (record === undefined) throw new GiraffeError('GIR_ERR_API_PATH', `no exchange ${id} is kept`);
    const request = replayRequest(record, edits);
    // The one that came last serves what the configuration says now.
    for (const replayer of [...this.#replayers].reverse()) {
      const replayed = replayer.replay(request);
      if (replayed !== undefined) return replayed;
    }
    throw new GiraffeError('GIR_ERR_REPLAY_REFUSED', `the agent does not serve ${request.endpoint} now`);
  }
}
