/**
 * Keeps one session with the edge: opens it, and opens another one when it is lost or its edge is draining, for ever
 * unless the edge refuses for good.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { AgentSession, type SessionContext } from './agent-session.ts';
import { backoffMs, defaultBackoff, delay } from './backoff.ts';
import { isFinalRefusal } from './edge-failure.ts';

/** A session counts as a success when it served this long, in milliseconds; shorter ones let the delays grow. */
const stableMs = 5000;
/** While the agent drains, its sessions are looked at this often, in milliseconds. */
const drainPollMs = 20;

/** Keeps an agent connected. */
export class Connector {
  readonly #context: SessionContext;
  /** The session that serves or is being opened, and those whose edge is draining. */
  readonly #sessions = new Set<AgentSession>();
  readonly #stop = new AbortController();
  /** What the operator said when the session that heard it was not the one that counts any more. */
  #refusal: GiraffeError | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Runs until {@link drain} is called or the edge refuses for good; resolves with that refusal. */
  async run(): Promise<GiraffeError | undefined> {
    let troubleSinceMs = performance.now();
    let attempt = 0;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      attempt += 1;
      this.#context.emit({ type: 'connecting', attempt });
      const attemptAtMs = performance.now();
      const { error, servedMs } = await this.#serve();
      if (signal.aborted) break;
      if (this.#isFinal(error)) return error;
      if (servedMs !== undefined) attempt = 0;
      const nowMs = performance.now();
      // A short session ends no trouble, but is none itself.
      if (servedMs !== undefined) troubleSinceMs = servedMs >= stableMs ? nowMs : troubleSinceMs + nowMs - attemptAtMs;
      const elapsedMs = nowMs - troubleSinceMs;
      const delayMs = backoffMs(elapsedMs, this.#context.options.backoff ?? defaultBackoff, Math.random());
      this.#context.emit({ type: 'reconnecting', error, delayMs });
      await delay(delayMs, signal);
    }
    return this.#refusal;
  }

  /**
   * Ends all sessions: takes no new exchanges, and waits for those in flight.
   * @param isOverdue Asked again and again: true to wait no longer.
   */
  async drain(isOverdue: () => boolean): Promise<void> {
    this.#stop.abort();
    for (const session of this.#sessions) session.goAway();
    while (!isOverdue() && [...this.#sessions].some((session) => !session.isDrained)) {
      await delay(drainPollMs, new AbortController().signal);
    }
    // What the last exchanges queued leaves before the carriers close.
    await nextTurn();
    await nextTurn();
    await this.close(new GiraffeError('GIR_ERR_DRAINING'));
  }

  /** Ends all sessions now. Resolves when their carriers are gone. */
  async close(reason: GiraffeError): Promise<void> {
    this.#stop.abort();
    const sessions = [...this.#sessions];
    for (const session of sessions) session.close(reason);
    await Promise.all(sessions.map((session) => session.ended));
  }

  /** Opens a session and waits until it takes no new exchanges. `servedMs` is undefined when it never served. */
  async #serve(): Promise<{ error: GiraffeError; servedMs: number | undefined }> {
    const session = new AgentSession(this.#context);
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    void session.disconnected.then((reason) => this.#disconnected(reason));
    try {
      await session.open();
    } catch (error) {
      const failure = GiraffeError.from(error);
      session.close(failure);
      return { error: failure, servedMs: undefined };
    }
    const servesSinceMs = performance.now();
    const error = await session.retired;
    return { error, servedMs: performance.now() - servesSinceMs };
  }

  #disconnected(reason: GiraffeError): void {
    // Who is leaving already ends as it wished.
    if (this.#stop.signal.aborted) return;
    this.#refusal = reason;
    void this.close(reason);
  }

  /** A name that the edge itself chose once and now refuses is no reason to give up: it may choose another one. */
  #isFinal(error: GiraffeError): boolean {
    if (!isFinalRefusal(error)) return false;
    return error.code !== 'GIR_ERR_ENDPOINT_REFUSED' || !this.#context.identity.forgetChosenNames();
  }
}
