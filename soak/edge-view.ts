/**
 * The edge as its management API tells it. What has no event is looked for again and again, and each answer counts as a sign
 * that the edge runs: a bound is broken only when the edge had time, on its clock and on ours.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManagementApi } from '../test/support/management-api.ts';

/** Time between looks, in milliseconds. */
const lookMs = 50;

/** A session of an agent, as the API tells it. */
export interface SessionView {
  readonly sessionId: string;
  readonly domains: readonly string[];
  readonly labels: readonly string[];
  readonly mode?: string;
  readonly inFlight: number;
  readonly peers: readonly string[];
}

/** What the edge holds at the moment. */
export interface HeldByEdge {
  readonly connections: number;
  readonly sessions: number;
  readonly streams: { readonly grpc: number; readonly tcp: number };
}

/** How long something may take. */
export interface Bound {
  /** In milliseconds. */
  readonly ms: number;
  /** Answers of the edge in the meantime, a count. */
  readonly answers: number;
}

/** How many bounds a wait that is late goes on for: it tells how late, and pings need 60 s to find out what nothing else has. */
const giveUpFactor = 20;

/** Asks one edge, which may come and go on its port. */
export class EdgeView {
  readonly #api: ManagementApi;

  constructor(apiPort: number, stateDir: string) {
    this.#api = new ManagementApi(apiPort, stateDir);
  }

  /** Every session once. */
  async sessions(): Promise<SessionView[]> {
    const { tunnels } = await this.json<{ readonly tunnels: readonly { readonly agents: readonly SessionView[] }[] }>(
      '/api/v1/tunnels',
    );
    const all = tunnels.flatMap(({ agents }) => agents);
    return [...new Map(all.map((session) => [session.sessionId, session])).values()];
  }

  async held(): Promise<HeldByEdge & { readonly inFlight: number }> {
    type Stats = { readonly now: HeldByEdge; readonly totals: { readonly inFlight: number } };
    const { now, totals } = await this.json<Stats>('/api/v1/stats');
    return { ...now, inFlight: totals.inFlight };
  }

  async json<T>(path: string): Promise<T> {
    return (await this.#api.json(path)) as T;
  }

  /**
   * Resolves, when `holds` returns true, with the time that took in milliseconds.
   * @param onLate Called once when it takes longer than the bound; the wait goes on.
   */
  async until(holds: () => Promise<boolean>, bound: Bound, onLate: () => Promise<void>): Promise<number> {
    const startedMs = performance.now();
    const passedMs = (): number => performance.now() - startedMs;
    let answers = 0;
    let isLate = false;
    for (;;) {
      const seen = await holds().catch(() => undefined);
      if (seen === true) return passedMs();
      if (seen === false) answers += 1;
      if (!isLate && bound.ms < passedMs() && bound.answers < answers) {
        isLate = true;
        await onLate();
      }
      if (giveUpFactor * bound.ms < passedMs()) throw new Error(`given up after ${Math.round(passedMs() / 1000)} s`);
      await sleep(lookMs);
    }
  }
}
