/**
 * The connections to one target: idle ones are handed out again, the latest first, and closed when nobody needs them.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { GiraffeError } from '../errors/giraffe-error.ts';
import { isIdempotent } from '../http/message.ts';
import { type Target, targetText } from '../http/target.ts';
import type { OriginTls } from './agent-options.ts';
import { trustedIdleMs } from './keep-alive-hint.ts';
import { type ConnectionOwner, OriginConnection } from './origin-connection.ts';
import { unreachableCodes } from './origin-error.ts';
import { OriginDialer } from './origin-socket.ts';

/** Idle connections kept per target at most, a count. */
const maxIdleConnections = 128;
/** Idle connections are looked through this often, in milliseconds. */
const sweepMs = 1000;

/** Settings of a pool. */
export interface OriginPoolOptions {
  readonly target: Target;
  /** How an https origin is verified. */
  readonly tls: OriginTls;
  /** Time to connect, TLS included, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** The origin can no longer be reached, or (undefined) can be again. Called once per change. */
  onReach(error: GiraffeError | undefined): void;
}

/** Keeps the connections to one target. */
export class OriginPool implements ConnectionOwner {
  readonly target: Target;
  readonly targetText: string;
  readonly #options: OriginPoolOptions;
  readonly #dialer: OriginDialer;
  /** In the order in which they became idle. */
  readonly #idle: OriginConnection[] = [];
  readonly #connections = new Set<OriginConnection>();
  #sweeper: NodeJS.Timeout | undefined;
  #isReachable = true;

  constructor(options: OriginPoolOptions) {
    this.#options = options;
    this.target = options.target;
    this.targetText = targetText(options.target);
    this.#dialer = new OriginDialer(options.target, options.tls);
  }

  /** Connections that are open or opening, those in use included. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Returns a connection for a request: an idle one if it can be trusted, otherwise one that is connecting.
   *
   * A request that must not be sent twice takes only a connection that was used within the last second.
   */
  take(method: string): OriginConnection {
    const nowMs = performance.now();
    for (;;) {
      const latest = this.#idle.at(-1);
      if (latest === undefined) return this.dial();
      const idleMs = nowMs - latest.idleSinceMs;
      if (idleMs >= latest.reuseMs) {
        latest.destroy();
        continue;
      }
      if (idleMs >= trustedIdleMs && !isIdempotent(method)) return this.dial();
      this.#idle.pop();
      return latest;
    }
  }

  /** Returns a connection that is connecting. */
  dial(): OriginConnection {
    const connection = new OriginConnection(this.#dialer, this, this.#options.connectTimeoutMs);
    this.#connections.add(connection);
    return connection;
  }

  /** Closes all connections at once. Exchanges on them are to be ended before. */
  close(): void {
    clearTimeout(this.#sweeper);
    for (const connection of [...this.#connections]) connection.destroy();
  }

  /** Takes note that the origin can be connected to. */
  noteReachable(): void {
    if (this.#isReachable) return;
    this.#isReachable = true;
    this.#options.onReach(undefined);
  }

  // The connections' side.

  onConnected(socket: Socket): void {
    this.#dialer.connected(socket);
    this.noteReachable();
  }

  onConnectFailed(error: GiraffeError): void {
    if (!this.#isReachable || !unreachableCodes.has(error.code)) return;
    this.#isReachable = false;
    this.#options.onReach(error);
  }

  onIdle(connection: OriginConnection): void {
    if (this.#idle.length >= maxIdleConnections) this.#idle[0]?.destroy();
    connection.idleSinceMs = performance.now();
    this.#idle.push(connection);
    this.#sweeper ??= setTimeout(() => this.#sweep(), sweepMs).unref();
  }

  onGone(connection: OriginConnection): void {
    this.#connections.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#idle.filter((one) => nowMs - one.idleSinceMs >= one.reuseMs)) connection.destroy();
    this.#sweeper = this.#idle.length === 0 ? undefined : setTimeout(() => this.#sweep(), sweepMs).unref();
  }
}
