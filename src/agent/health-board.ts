/**
 * The health of all origins of one agent, for whoever tells the edge.
 */

import type { GiraffeError } from '../errors/giraffe-error.ts';
import { targetText } from '../http/target.ts';
import {
  type AgentEvent,
  type AgentOptions,
  type AgentTunnel,
  type OriginTls,
  systemOriginTls,
} from './agent-options.ts';
import { OriginHealth } from './origin-health.ts';
import { OriginDialer } from './origin-socket.ts';

interface TunnelHealth {
  readonly target: string;
  readonly tls: OriginTls;
  readonly health: OriginHealth;
}

/** Watches the origins of an agent's tunnels. */
export class HealthBoard {
  readonly #healths = new Map<AgentTunnel, TunnelHealth>();
  readonly #listeners = new Set<() => void>();

  /** @param onReachable Told when an origin that exchanges could not reach can be connected to again. */
  constructor(
    options: AgentOptions,
    emit: (event: AgentEvent) => void,
    onReachable: (target: string, tls: OriginTls) => void,
  ) {
    for (const tunnel of options.tunnels) {
      const { domain, target, health: check, originTls = systemOriginTls } = tunnel;
      const name = targetText(target);
      const onChange = (error: GiraffeError | undefined): void => {
        if (check !== undefined) emit({ type: 'health', domain, target: name, error });
        else if (error === undefined) onReachable(name, originTls);
        for (const listener of this.#listeners) listener();
      };
      const dialer = new OriginDialer(target, originTls);
      const health = new OriginHealth({ dialer, check, onChange });
      this.#healths.set(tunnel, { target: name, tls: originTls, health });
    }
  }

  /** Begins with the health checks. */
  start(): void {
    for (const { health } of this.#healths.values()) health.start();
  }

  /** Takes note of what an exchange saw. */
  report(target: string, tls: OriginTls, error: GiraffeError | undefined): void {
    for (const one of this.#healths.values()) if (one.target === target && one.tls === tls) one.health.report(error);
  }

  /** Says whether the origin of a tunnel is down. */
  isDown(tunnel: AgentTunnel): boolean {
    return this.#healths.get(tunnel)?.health.isDown ?? false;
  }

  /** Looks after the origin of a tunnel no more. */
  forget(tunnel: AgentTunnel): void {
    this.#healths.get(tunnel)?.health.end();
    this.#healths.delete(tunnel);
  }

  /** Calls `listener` with every change; returns a function that ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  end(): void {
    for (const { health } of this.#healths.values()) health.end();
  }
}
