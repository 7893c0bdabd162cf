/**
 * Knows whether the service behind a tunnel is there, and tells of each change once.
 *
 * Looks by itself at the start and while the service is away; afterwards the agent's exchanges tell.
 */
import type { Target } from '../agent/target.ts';
import { probeTarget } from './agent-target.ts';

const retryMs = 1_000;

/** A change: `reason` is undefined when the service is there. */
export type OriginListener = (reason: string | undefined) => void;

/** Watches one target. */
export class OriginWatch implements Disposable {
  readonly #target: Target;
  readonly #onChange: OriginListener;
  readonly #probe: (target: Target) => Promise<string | undefined>;
  #isAway = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: Target, onChange: OriginListener, probe = (aim: Target) => probeTarget(aim)) {
    this.#target = target;
    this.#onChange = onChange;
    this.#probe = probe;
  }

  /** Looks once, and again and again while nothing is there. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Takes note of what the agent saw. */
  report(reason: string | undefined): void {
    if (this.#isEnded || this.#isAway === (reason !== undefined)) return;
    this.#isAway = reason !== undefined;
    this.#onChange(reason);
    clearTimeout(this.#timer);
    if (this.#isAway) this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const reason = await this.#probe(this.#target);
    if (this.#isEnded) return;
    if (reason !== undefined && this.#isAway) this.#lookLater();
    else this.report(reason);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#look(), retryMs);
    this.#timer.unref();
  }
}
